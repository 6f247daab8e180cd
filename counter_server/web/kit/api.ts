/**
 * Requests to the counter: JSON both ways, one typed error, and every user action carries a key so that a repeated
 * request is done once.
 */
import { ERROR_CODES, type ErrorBody, type ErrorCode } from "../../../webrtc/web/wire";

/** A cut of a second or two is bridged without the person noticing; the key makes the repetition harmless. */
const RETRY_AFTER_MS = [400, 1_200] as const;

/** The counter's no, or that it could not be asked (`counter_unreachable`). */
export class RefusedError extends Error {
  readonly code: ErrorCode;
  readonly field: string | null;

  constructor(code: ErrorCode, field: string | null = null) {
    super(code);
    this.name = "RefusedError";
    this.code = code;
    this.field = field;
  }
}

const wait = (pause_ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, pause_ms));

async function refusal(answer: Response): Promise<RefusedError> {
  const body = (await answer.json().catch(() => null)) as Partial<ErrorBody> | null;
  const code = ERROR_CODES.find((known) => known === body?.code);
  if (code) {
    return new RefusedError(code, body?.field ?? null);
  }
  // not our own error body: a proxy or the agent answered in the counter's place
  return new RefusedError(answer.status >= 502 && answer.status <= 504 ? "counter_unreachable" : "internal");
}

export class Api {
  /** Sent as `Authorization: Bearer`; a console has none, it is known by its cookie. */
  token: string | null = null;

  /** GET, decoded. */
  async get<Answer>(path: string): Promise<Answer> {
    const answer = await this.#ask(path, { method: "GET" });
    return (await answer.json()) as Answer;
  }

  /** Whether anybody answers there in time, whatever is said. */
  async reaches(path: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#ask(path, { method: "GET", signal });
      return true;
    } catch (problem) {
      return problem instanceof RefusedError && problem.code !== "counter_unreachable";
    }
  }

  /** GET as an address an `<img>` can show; give it back with `URL.revokeObjectURL`. Null when there is none. */
  async picture(path: string): Promise<string | null> {
    try {
      const answer = await this.#ask(path, { method: "GET" });
      return answer.status === 204 ? null : URL.createObjectURL(await answer.blob());
    } catch (problem) {
      if (problem instanceof RefusedError && problem.code === "not_found") {
        return null;
      }
      throw problem;
    }
  }

  /** A range of a big file. */
  async bytes(path: string, offset: number, size: number): Promise<ArrayBuffer> {
    const headers = { Range: `bytes=${offset}-${offset + size - 1}` };
    return (await this.#ask(path, { method: "GET", headers })).arrayBuffer();
  }

  /** POST one action of a person; repeated by itself after a cut, under the same key. */
  async post<Answer>(path: string, body: unknown = {}): Promise<Answer> {
    const request = {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
      body: JSON.stringify(body),
    };
    for (const pause_ms of RETRY_AFTER_MS) {
      try {
        return await this.#decoded<Answer>(await this.#ask(path, request));
      } catch (problem) {
        if (!(problem instanceof RefusedError) || problem.code !== "counter_unreachable") {
          throw problem;
        }
        await wait(pause_ms);
      }
    }
    return this.#decoded<Answer>(await this.#ask(path, request));
  }

  async #decoded<Answer>(answer: Response): Promise<Answer> {
    return (answer.status === 204 ? null : await answer.json()) as Answer;
  }

  async #ask(path: string, request: RequestInit): Promise<Response> {
    const headers = new Headers(request.headers);
    if (this.token !== null) {
      headers.set("Authorization", `Bearer ${this.token}`);
    }
    let answer: Response;
    try {
      answer = await fetch(path, { ...request, headers, cache: "no-store", credentials: "same-origin" });
    } catch {
      throw new RefusedError("counter_unreachable");
    }
    if (!answer.ok) {
      throw await refusal(answer);
    }
    return answer;
  }
}
