// Written by `python build_web.py --wire` from webrtc/wire. Change those models, not this file.

/** State of one side's pictures and sound, judged by packets that arrive. */
export const LINES = [
  "none",
  "connecting",
  "ok",
  "lost",
] as const;
export type Line = (typeof LINES)[number];

/** How a page's pictures and sound can reach the counter. */
export const LINE_WAYS = [
  "direct",
  "relay",
  "none",
] as const;
export type LineWay = (typeof LINE_WAYS)[number];

/** What a measured line is good for. */
export const LINE_VERDICTS = [
  "good",
  "coarse",
  "not_now",
] as const;
export type LineVerdict = (typeof LINE_VERDICTS)[number];

/** What the page measured over a `check` leg before the queue; ends that leg. Told to the clerk, journaled. */
export interface LineCheck {
  readonly type: "line_check";
  readonly verdict: LineVerdict;
  readonly way: LineWay;
  readonly round_trip_ms: number | null;
  readonly loss_percent: number | null;
  readonly kbit_s: number | null;
}

/** What a customer sends as a second picture. */
export const SHOWN_KINDS = [
  "document",
  "screen",
] as const;
export type ShownKind = (typeof SHOWN_KINDS)[number];

/** The customer begins to show something beside themselves, or no longer does (null). Journaled and recorded. */
export interface ShowPicture {
  readonly type: "show";
  readonly what: ShownKind | null;
}

/** The page could not get its camera or microphone; told to the clerk and journaled. */
export interface DeviceTrouble {
  readonly type: "device_trouble";
  readonly device: "camera" | "microphone";
  readonly trouble: "refused" | "missing" | "busy" | "ended";
}

/** Which of a page's legs. Nothing is mixed, so whoever takes part beside the two comes over more of them. */
export const CALL_PARTS = [
  "main",
  "third",
  "watch-customer",
  "watch-clerk",
  "shown",
  "check",
] as const;
export type CallPart = (typeof CALL_PARTS)[number];

/** The page has camera and microphone and wants its leg; answered by an `offer`. Also used to rejoin. */
export interface JoinCall {
  readonly type: "join";
  readonly part?: CallPart;
}

/** The line of a leg that was up has gone quiet: another way is wanted; answered by an `offer` for the same leg. */
export interface RestartLeg {
  readonly type: "restart";
  readonly leg_id: string;
}

/** The page's SDP answer. */
export interface Answer {
  readonly type: "answer";
  readonly leg_id: string;
  readonly sdp: string;
}

/** A trickled ICE candidate of the page; null ends them. */
export interface Candidate {
  readonly type: "candidate";
  readonly leg_id: string;
  readonly candidate: string | null;
  readonly sdp_mid?: string | null;
  readonly sdp_mline_index?: number | null;
}

/** A TURN server with credentials good for minutes. */
export interface IceServer {
  readonly urls: readonly string[];
  readonly username: string | null;
  readonly credential: string | null;
}

/** The counter offers a leg: one audio and one video section, both sendrecv. */
export interface OfferMessage {
  readonly type: "offer";
  readonly part: CallPart;
  readonly leg_id: string;
  readonly sdp: string;
  readonly ice_servers: readonly IceServer[];
}

/** The page's leg is gone or is needed on another worker: join again now. */
export interface RejoinMessage {
  readonly type: "rejoin";
  readonly part: CallPart;
}

/** POST /api/console/visits/{id}/call: let the customer wait, switch the own microphone off. Journaled. */
export interface SetCall {
  readonly held: boolean;
  readonly muted: boolean;
}

/** POST /api/visits/{id}/card on the kiosk agent: what BAC derives its key from. Stays on the desk. */
export interface CardAccess {
  readonly document_number: string;
  readonly date_of_birth: string;
  readonly date_of_expiry: string;
  /** a finger will be compared: the chip's are wanted, if permitted */
  readonly fingers?: boolean;
}

/** What the chip says about its holder (DG1). */
export interface HolderView {
  readonly name: string;
  readonly document_number: string;
  readonly issuing_state: string;
  readonly nationality: string;
  /** None where the document leaves a part of it unknown */
  readonly date_of_birth: string | null;
  readonly date_of_expiry: string;
  readonly sex: string;
}

/** Risk tier of a service. */
export const RISKS = [
  "low",
  "high",
] as const;
export type Risk = (typeof RISKS)[number];

/** How much is proven about who is in front of the camera, weakest first. */
export const ASSURANCES = [
  "none",
  "live_person",
  "chip_and_face",
  "chip_and_finger",
  "chip_face_and_finger",
] as const;
export type Assurance = (typeof ASSURANCES)[number];

/** The door a customer came through. */
export const CHANNELS = [
  "kiosk",
  "phone",
] as const;
export type Channel = (typeof CHANNELS)[number];

/** How a form field is typed and checked. */
export const FIELD_KINDS = [
  "text",
  "money",
  "tel",
  "email",
  "choice",
] as const;
export type FieldKind = (typeof FIELD_KINDS)[number];

/** One option of a `choice` field. */
export interface Choice {
  readonly value: string;
  readonly label: Text;
}

/** One question of a service's form. */
export interface FormField {
  readonly name: string;
  readonly kind: FieldKind;
  readonly label: Text;
  readonly hint: Text | null;
  readonly max_length: number;
  readonly required: boolean;
  readonly choices: readonly Choice[];
  readonly minimum: number | null;
  readonly maximum: number | null;
}

/** What a service can be done by, through one door. */
export const ROUTES = [
  "self_service",
  "clerk",
  "not_here",
] as const;
export type Route = (typeof ROUTES)[number];

/** One service as the customer sees it before choosing. */
export interface ServiceOffer {
  readonly service_id: string;
  readonly title: Text;
  readonly summary: Text;
  readonly risk: Risk;
  /** for the door that asked */
  readonly route: Route;
  /** what this door can reach and the service then relies on */
  readonly assurance: Assurance;
  /** how long it usually takes, without waiting */
  readonly minutes: number;
  readonly form: readonly FormField[];
  readonly needs_approval: boolean;
}

/** GET /api/catalogue. */
export interface CatalogueView {
  readonly channel: Channel;
  readonly services: readonly ServiceOffer[];
  /** people in the queue now */
  readonly waiting: number;
  readonly clerks_ready: number;
}

/** A check is never just true or false. */
export const CHECK_OUTCOMES = [
  "passed",
  "failed",
  "not_possible",
] as const;
export type CheckOutcome = (typeof CHECK_OUTCOMES)[number];

/** One named check of the chip, face or liveness, with its reason and the clause it comes from. */
export interface CheckView {
  readonly name: string;
  readonly outcome: CheckOutcome;
  readonly why: string;
  readonly clause: string;
}

/** What a comparison ends in. */
export const VERDICTS = [
  "accept",
  "refer",
  "reject",
] as const;
export type Verdict = (typeof VERDICTS)[number];

/** POST /api/console/login; answers ClerkView and a session cookie. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** Who is logged in. */
export interface ClerkView {
  readonly clerk_id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly language: Language;
  /** how many are registered; with one, it signs in the password's place */
  readonly passkeys: number;
}

/** One waiting customer in the clerk's list; nothing personal before it is taken. */
export interface TicketRow {
  readonly ticket_id: string;
  readonly number: string;
  readonly service_title: Text;
  readonly channel: Channel;
  readonly language: Language;
  readonly waiting_s: number;
  /** the face check asked for a clerk's eyes */
  readonly referred: boolean;
}

/** One thing the clerk must look at, ask or say before the document may go out. */
export interface ChecklistItem {
  readonly item_id: string;
  readonly text: Text;
  readonly outcome: CheckOutcome | null;
  readonly note: string;
}

/** A visit as the clerk who serves it sees it. */
export interface ClerkVisit {
  readonly visit_id: string;
  readonly ticket_number: string;
  readonly service_title: Text;
  readonly channel: Channel;
  readonly language: Language;
  readonly state: VisitState;
  readonly version: number;
  readonly assurance: Assurance;
  readonly holder: HolderView | null;
  readonly checks: readonly CheckView[];
  readonly face: FaceView | null;
  readonly finger: FingerView | null;
  readonly has_portrait: boolean;
  readonly has_live_picture: boolean;
  readonly form: readonly FormField[];
  readonly values: Readonly<Record<string, string>>;
  readonly checklist: readonly ChecklistItem[];
  readonly checklist_complete: boolean;
  readonly document: DocumentView | null;
  readonly needs_approval: boolean;
  readonly approval: "none" | "waiting" | "approved" | "declined";
  readonly customer_line: Line;
  readonly my_line: Line;
  readonly customer_trouble: string | null;
  /** as the customer's page found it before the queue */
  readonly line_check: LineCheck | null;
  /** None outside a call */
  readonly continuity: ContinuityView | null;
  readonly held: boolean;
  readonly muted: boolean;
  readonly third: ThirdPerson | null;
  readonly shown: ShownKind | null;
  readonly reason: Reason | null;
  readonly receipt: Receipt | null;
}

/** A document that waits for a second person. */
export interface ApprovalRow {
  readonly visit_id: string;
  readonly ticket_number: string;
  readonly service_title: Text;
  readonly clerk_name: string;
  readonly values: Readonly<Record<string, string>>;
  readonly form: readonly FormField[];
  readonly holder: HolderView | null;
  readonly checks: readonly CheckView[];
  readonly face: FaceView | null;
  readonly finger: FingerView | null;
  readonly checklist: readonly ChecklistItem[];
  readonly document: DocumentView;
  /** signed by whoever is looking, who therefore cannot approve it */
  readonly mine: boolean;
}

/** Everything a console draws. Sent whole after every change. */
export interface ConsoleView {
  readonly clerk: ClerkView;
  readonly version: number;
  readonly waiting: readonly TicketRow[];
  readonly visit: ClerkVisit | null;
  readonly approvals: readonly ApprovalRow[];
  readonly media_ok: boolean;
  /** for supervisors, and of an invited colleague theirs */
  readonly calls: readonly RunningCall[];
  /** whom this clerk could ask into the call now */
  readonly colleagues: readonly Colleague[];
  /** clerk_id of whoever was asked and has not answered */
  readonly invited: string | null;
  readonly invitation: InvitationView | null;
}

/** POST /api/console/visits/{id}/checklist/{item_id}. */
export interface SetChecklistItem {
  readonly outcome: CheckOutcome;
  readonly note?: string;
}

/** POST /api/console/visits/{id}/countersign: the clerk's own act, with a passkey or the password once more. */
export interface Countersign {
  readonly document_sha256: string;
  readonly password?: string;
  readonly passkey?: string;
}

/** POST /api/console/visits/{id}/refuse. */
export interface RefuseVisit {
  readonly note: string;
}

/** POST /api/console/visits/{id}/approval by a second person. */
export interface Approve {
  readonly decision: "approve" | "decline";
  readonly document_sha256: string;
  readonly password?: string;
  readonly note?: string;
  readonly passkey?: string;
}

/** What the liveness check may ask for. Left and right are the person's own. */
export const MOVEMENTS = [
  "turn_left",
  "turn_right",
  "look_up",
  "come_closer",
  "blink",
] as const;
export type Movement = (typeof MOVEMENTS)[number];

/** One actionable sentence at a time while the camera looks. */
export const GUIDANCE_CODES = [
  "starting",
  "no_face",
  "two_faces",
  "come_closer",
  "move_back",
  "move_to_middle",
  "too_dark",
  "too_bright",
  "side_light",
  "covered",
  "look_straight",
  "open_eyes",
  "hold_still",
  "move_now",
  "back_to_middle",
  "done",
] as const;
export type GuidanceCode = (typeof GUIDANCE_CODES)[number];

/** What the page shows round the picture while the face is checked; the counter draws their order. */
export const SCREEN_COLOURS = [
  "rose",
  "green",
  "blue",
  "amber",
] as const;
export type ScreenColour = (typeof SCREEN_COLOURS)[number];

/** What the customer should do now, from the latest frames. */
export interface Guidance {
  readonly code: GuidanceCode;
  readonly movement: Movement | null;
  readonly progress: number;
  readonly colour: ScreenColour | null;
}

/** What the face check came to. No bare distance leaves the counter. */
export interface FaceView {
  readonly verdict: Verdict;
  readonly live: boolean;
  /** false where there was no chip portrait to compare with */
  readonly compared: boolean;
  /** upper bound of the false match rate at this score */
  readonly fmr_upper: number | null;
  /** impostor comparisons behind that bound */
  readonly comparisons: number | null;
  readonly engine: string;
  readonly reasons: readonly string[];
  readonly attempts_left: number;
}

/** Camera is up: begin (or repeat) the face check. */
export interface StartFace {
  readonly type: "start_face";
  /** this screen may change its colour: nobody asked it not to */
  readonly colours?: boolean;
}

/** The customer wants no changing colours; no reason is asked and nothing is lost by it. */
export interface StopColours {
  readonly type: "stop_colours";
}

/** The customer cannot do the movement asked for; no reason is asked and nothing is lost by it. */
export interface AskAnotherMovement {
  readonly type: "ask_another_movement";
}

/** Whether the person of the face check is still the one in the call. */
export const CONTINUITY_STATES = [
  "held",
  "uncertain",
  "broken",
] as const;
export type ContinuityState = (typeof CONTINUITY_STATES)[number];

/** What spoke against it. */
export const CONTINUITY_CUES = [
  "other_face",
  "second_face",
  "picture_frozen",
  "no_face",
  "no_picture",
  "face_unclear",
  "line_rejoined",
  "watch_lost",
] as const;
export type ContinuityCue = (typeof CONTINUITY_CUES)[number];

/** Whether the call still has the person of the face check before its camera, and which cue spoke if not. */
export interface ContinuityView {
  readonly state: ContinuityState;
  readonly cue: ContinuityCue | null;
  /** asked again, the card comes first and then the face */
  readonly needs_card: boolean;
  /** the person is being identified again in this very call */
  readonly again: boolean;
}

/** What a finger is asked for. */
export const FINGER_TASKS = [
  "enrol",
  "compare",
] as const;
export type FingerTask = (typeof FINGER_TASKS)[number];

/** The one thing to change before the next impression. */
export const FINGER_ADVICES = [
  "no_finger",
  "lifted_early",
  "press_more",
  "too_dry",
  "too_wet",
  "move_to_middle",
  "hold_still",
  "clean_glass",
  "use_more_of_pad",
  "same_finger",
  "not_alike",
  "sensor_doubts",
] as const;
export type FingerAdvice = (typeof FINGER_ADVICES)[number];

/** What the finger step asks for and came to. No bare score leaves the counter. */
export interface FingerView {
  readonly task: FingerTask;
  /** ISO/IEC 19794-2: 1 to 5 right thumb to little finger, 6 to 10 left */
  readonly position: number;
  /** impressions that counted so far */
  readonly taken: number;
  readonly wanted: number;
  readonly advice: FingerAdvice | null;
  /** None until it is decided, and for an enrolment */
  readonly verdict: Verdict | null;
  readonly compared: boolean;
  /** upper bound of a stranger's chance, tries included */
  readonly fmr_upper: number | null;
  /** impostor comparisons behind that bound */
  readonly comparisons: number | null;
  readonly engine: string;
  /** no finger could be given: a clerk and a second person decide */
  readonly cannot: boolean;
  readonly attempts_left: number;
  /** drawn for the next picture, where a device has to sign for it */
  readonly transaction: string;
}

/** POST /api/visits/{id}/finger on the kiosk agent: wait for this finger and hand its picture to the counter. */
export interface AskFinger {
  /** ISO/IEC 19794-2: 1 to 5 right thumb to little finger, 6 to 10 left, 0 unknown */
  readonly position: number;
  /** as in FingerView: what a device that signs is to sign with the picture */
  readonly transaction?: string;
}

/** What a scanner itself says about an imitation. Only a sensor that looks for one may say anything. */
export const PAD_VERDICTS = [
  "live",
  "attack",
  "not_judged",
] as const;
export type PadVerdict = (typeof PAD_VERDICTS)[number];

/** The scanner's own verdict on presentation attacks, with whoever gave it. Never a claim of our software. */
export interface SensorPad {
  readonly verdict: PadVerdict;
  readonly source: string;
  /** on the source's own scale */
  readonly score: number | null;
}

/** POST /api/visits/{id}/finger-cannot: people decide instead. Nothing is lost by it and nobody asks why. */
export interface CannotGiveFinger {
  readonly why: "customer" | "no_scanner";
}

/** What the card reader is good for right now. */
export const READER_STATES = [
  "no_service",
  "no_reader",
  "empty",
  "card_present",
  "reading",
] as const;
export type ReaderState = (typeof READER_STATES)[number];

/** Progress of one reading, in the order of ICAO 9303. */
export const CARD_STEPS = [
  "waiting_for_card",
  "opening",
  "access",
  "reading_security",
  "reading_text",
  "reading_portrait",
  "checking",
] as const;
export type CardStep = (typeof CARD_STEPS)[number];

/** What the fingerprint scanner is good for right now. */
export const SCANNER_STATES = [
  "none",
  "ready",
  "gone",
  "capturing",
] as const;
export type ScannerState = (typeof SCANNER_STATES)[number];

/** Progress of one capture. */
export const FINGER_STEPS = [
  "waiting_for_finger",
  "hold_still",
  "checking",
] as const;
export type FingerStep = (typeof FINGER_STEPS)[number];

/** GET /api/kiosk (poll once a second while the card screen or the finger screen is open). */
export interface KioskView {
  readonly kiosk_id: string;
  readonly name: string;
  readonly reader: ReaderState;
  readonly reader_name: string | null;
  readonly card_step: CardStep | null;
  readonly scanner: ScannerState;
  readonly finger_step: FingerStep | null;
  readonly counter_reachable: boolean;
}

/** First message of a customer's page on /api/visits/{id}/live; a console is known by its cookie and sends none. */
export interface Hello {
  readonly type: "hello";
  readonly visit_token: string;
}

/** Every 3 s; a page that is silent for 10 s counts as gone for now. */
export interface Ping {
  readonly type: "ping";
}

/** The visit changed. */
export interface ViewMessage {
  readonly type: "view";
  readonly view: VisitView;
}

/** What the camera wants now. */
export interface GuidanceMessage {
  readonly type: "guidance";
  readonly guidance: Guidance;
}

/** A live message could not be done; the connection stays. */
export interface ErrorMessage {
  readonly type: "error";
  readonly error: ErrorBody;
}

/** The console changed. */
export interface ConsoleMessage {
  readonly type: "console";
  readonly console: ConsoleView;
}

/** Languages every page speaks. */
export const LANGUAGES = [
  "zh",
  "en",
] as const;
export type Language = (typeof LANGUAGES)[number];

/** One sentence in every language of the house. */
export interface Text {
  readonly zh: string;
  readonly en: string;
}

/** Why a request was not done. The pages hold one sentence per code and language: what happened, what to do now. */
export const ERROR_CODES = [
  "bad_request",
  "body_too_large",
  "not_logged_in",
  "wrong_login",
  "too_many_tries",
  "not_allowed",
  "not_found",
  "wrong_step",
  "conflict",
  "service_needs_kiosk",
  "link_unknown",
  "link_used",
  "link_expired",
  "no_reader",
  "no_card",
  "card_removed",
  "card_mute",
  "reader_busy",
  "wrong_mrz",
  "no_scanner",
  "scanner_busy",
  "no_finger",
  "finger_lifted",
  "finger_poor",
  "counter_unreachable",
  "form_invalid",
  "checklist_open",
  "unprintable",
  "pages_unseen",
  "signature_empty",
  "document_changed",
  "ticket_taken",
  "same_person",
  "face_unavailable",
  "identity_not_held",
  "passkey_needed",
  "passkey_refused",
  "media_unavailable",
  "record_broken",
  "recording_closed",
  "internal",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** The body of every answer that is not 2xx. */
export interface ErrorBody {
  readonly code: ErrorCode;
  /** English, for people who read APIs; pages show their own words by code */
  readonly message: string;
  readonly field: string | null;
}

/** What the browser is to ask the authenticator: WebAuthn's options, as JSON text. */
export interface PasskeyQuestion {
  readonly options: string;
}

/** POST /api/console/passkeys/question: in person, so with the password; answers PasskeyQuestion. */
export interface NewPasskey {
  readonly password: string;
}

/** POST /api/console/passkeys; answers ClerkView. */
export interface RegisterPasskey {
  readonly credential: string;
}

/** POST /api/console/login/passkey; answers ClerkView and a session cookie. */
export interface PasskeyLogin {
  readonly credential: string;
}

/** POST /api/console/visits/{id}/act-question: a challenge that names this act; answers PasskeyQuestion. */
export interface AskToAct {
  readonly action: "countersign" | "approve" | "decline";
  readonly document_sha256: string;
}

/** What a passkey on the customer's phone can do in this visit now. It is a thing they have, never a fingerprint. */
export const PHONE_KEYS = [
  "none",
  "askable",
  "recognised",
  "offered",
  "kept",
] as const;
export type PhoneKey = (typeof PHONE_KEYS)[number];

/** POST /api/visits/{id}/phone-key: a passkey of an earlier visit; answers VisitView. The question before is POST /api/visits/{id}/phone-key/question and answers PasskeyQuestion. */
export interface ShowPhoneKey {
  readonly credential: string;
}

/** POST /api/visits/{id}/phone-key/new: a passkey for the next visit; answers VisitView. The question before is POST /api/visits/{id}/phone-key/new-question; /phone-key/remove takes it back. */
export interface KeepPhoneKey {
  readonly credential: string;
}

/** A sealed record with a recording, as a list shows it. */
export interface RecordedVisit {
  readonly record_id: string;
  readonly service_title: Text;
  readonly outcome: string;
  readonly channel: string;
  readonly sealed_at: string;
}

/** GET /api/console/recordings, for auditors and supervisors; newest first. */
export interface RecordedVisits {
  readonly records: readonly RecordedVisit[];
}

/** POST /api/console/recordings/{record_id}/viewings. Noted for ever before anything is opened. */
export interface WatchRecording {
  readonly reason: string;
}

/** A stretch of a track's file that begins at a cluster and can be played from the next key picture on. */
export interface RecordedPiece {
  readonly offset: number;
  readonly size: number;
  /** on the track's clock */
  readonly start_ms: number;
}

/** Nothing arrived. */
export interface RecordedGap {
  readonly start_ms: number;
  readonly duration_ms: number;
}

/** From this moment of the track on, its pictures have this size. */
export interface MeasuredSize {
  readonly at_ms: number;
  readonly width: number;
  readonly height: number;
}

/** Packets of one minute of the track. Repaired ones came only after later ones, lost ones never. */
export interface MeasuredMinute {
  readonly packets: number;
  readonly lost: number;
  readonly repaired: number;
}

/** How good the line was, measured while it was recorded. Skew: how much later than sound pictures stand. */
export interface MeasuredLine {
  readonly sizes: readonly MeasuredSize[];
  readonly skew_mean_ms: number | null;
  readonly skew_worst_ms: number | null;
  readonly minutes: readonly MeasuredMinute[];
}

/** One track: GET /api/console/viewings/{viewing_id}/{number}.mkv, by ranges. */
export interface RecordedSide {
  readonly number: number;
  readonly side: string;
  readonly started_at: string;
  /** after the first track of the record */
  readonly starts_ms: number;
  readonly duration_ms: number;
  /** measured outside gaps; 0 where nobody could measure */
  readonly frames_per_s: number;
  readonly complete: boolean;
  /** null where nobody measured, or the figures' key is gone */
  readonly line: MeasuredLine | null;
  readonly gaps: readonly RecordedGap[];
  readonly pieces: readonly RecordedPiece[];
}

/** A viewing that has been noted, and what can be watched. */
export interface ViewingView {
  readonly viewing_id: string;
  readonly record_id: string;
  readonly duration_ms: number;
  readonly tracks: readonly RecordedSide[];
}

/** How a third person takes part in a call. */
export const SUPERVISION_MODES = [
  "listen",
  "whisper",
  "join",
] as const;
export type SupervisionMode = (typeof SUPERVISION_MODES)[number];

/** What somebody beside customer and clerk is there for. */
export const THIRD_KINDS = [
  "supervisor",
  "interpreter",
  "colleague",
] as const;
export type ThirdKind = (typeof THIRD_KINDS)[number];

/** Who else is in the call, as far as policy tells this side. */
export interface ThirdPerson {
  readonly name: string;
  readonly mode: SupervisionMode;
  readonly kind: ThirdKind;
}

/** A call that a supervisor may take part in; nothing personal. */
export interface RunningCall {
  readonly visit_id: string;
  readonly ticket_number: string;
  readonly service_title: Text;
  readonly clerk_name: string;
  /** how the one who looks takes part now */
  readonly mode: SupervisionMode | null;
}

/** Somebody at a console who is free to come into a call. */
export interface Colleague {
  readonly clerk_id: string;
  readonly name: string;
  readonly kind: ThirdKind;
}

/** A call this clerk was asked into, or takes part in by invitation; nothing personal. */
export interface InvitationView {
  readonly visit_id: string;
  readonly ticket_number: string;
  readonly service_title: Text;
  readonly clerk_name: string;
  readonly language: Language;
  readonly joined: boolean;
}

/** POST /api/console/visits/{id}/supervision by a supervisor; null leaves. Journaled, told as policy decides. */
export interface Supervise {
  readonly mode: SupervisionMode | null;
}

/** POST /api/console/visits/{id}/invitation by the clerk who serves it; null takes it back. Journaled. */
export interface Invite {
  readonly clerk_id: string | null;
}

/** POST /api/console/visits/{id}/invitation/answer; declining after having joined leaves. Journaled. */
export interface AnswerInvitation {
  readonly accept: boolean;
}

/** Where a visit stands. The customer's page shows one screen per state. */
export const VISIT_STATES = [
  "consent",
  "card",
  "face",
  "finger",
  "form",
  "confirm",
  "waiting",
  "serving",
  "reading",
  "countersigning",
  "approving",
  "sealing",
  "done",
  "refused",
  "cancelled",
  "interrupted",
] as const;
export type VisitState = (typeof VISIT_STATES)[number];

/** Why a visit was refused or interrupted; the pages have words for each. */
export const REASONS = [
  "card_not_genuine",
  "card_expired",
  "card_unknown_issuer",
  "other_card",
  "face_different",
  "not_live",
  "document_tries",
  "finger_different",
  "by_clerk",
  "by_approver",
  "server_restarted",
  "customer_left",
  "customer_cancelled",
  "media_failed",
] as const;
export type Reason = (typeof REASONS)[number];

/** A place in the queue. */
export interface TicketView {
  /** what is called out, such as A017 */
  readonly number: string;
  /** 1 is next; 0 when a clerk has taken it */
  readonly position: number;
  readonly waiting_s: number;
  readonly estimate_low_s: number | null;
  readonly estimate_high_s: number | null;
  readonly clerks_ready: number;
}

/** The document both sides look at: one rendering, one hash. */
export interface DocumentView {
  readonly title: Text;
  readonly sha256: string;
  readonly pages: number;
  readonly seen_pages: readonly number[];
  readonly signed_by_customer: boolean;
  readonly signed_by_clerk: boolean;
}

/** What the customer takes home. */
export interface Receipt {
  readonly record_id: string;
  /** with the number, opens the public receipt check */
  readonly check_code: string;
  readonly check_url: string;
  readonly sealed_at: string;
  /** that the record is in the public log: C2SP tlog-proof with its signed checkpoint, a second later */
  readonly proof: string | null;
}

/** Everything a customer's page needs to draw the visit. Sent whole after every change. */
export interface VisitView {
  readonly visit_id: string;
  readonly service_id: string;
  readonly service_title: Text;
  readonly channel: Channel;
  readonly language: Language;
  readonly state: VisitState;
  /** rises with every change; an older view is ignored */
  readonly version: number;
  readonly route: Route;
  readonly assurance: Assurance;
  readonly reason: Reason | null;
  /** what the clerk wrote to the customer with a refusal */
  readonly note: string | null;
  readonly form: readonly FormField[];
  readonly values: Readonly<Record<string, string>>;
  readonly holder_name: string | null;
  readonly checks: readonly CheckView[];
  readonly face: FaceView | null;
  /** what this visit's service wants of a finger */
  readonly asks_finger: FingerTask | null;
  readonly finger: FingerView | null;
  readonly ticket: TicketView | null;
  readonly clerk_name: string | null;
  readonly document: DocumentView | null;
  readonly my_line: Line;
  readonly clerk_line: Line;
  /** None outside a call */
  readonly continuity: ContinuityView | null;
  /** the clerk asked to wait a moment: nobody sees or hears the other */
  readonly held: boolean;
  readonly clerk_muted: boolean;
  readonly third: ThirdPerson | null;
  readonly receipt: Receipt | null;
  readonly phone_key: PhoneKey;
}

/** POST /api/visits. A phone adds its session as `Authorization: Bearer`; a kiosk is known by its certificate. */
export interface OpenVisit {
  readonly service_id: string;
  readonly language: Language;
}

/** The visit and the token that every later request of this customer carries as `Authorization: Bearer`. */
export interface VisitOpened {
  readonly visit_token: string;
  readonly view: VisitView;
}

/** POST /api/phone/redeem: a one-time link becomes a phone session, once. */
export interface RedeemLink {
  readonly link_token: string;
}

/** What a redeemed link gives: good for opening one visit. */
export interface PhoneSession {
  readonly phone_token: string;
}

/** POST /api/kiosk/phone-links or /api/console/phone-links. */
export interface PhoneLink {
  readonly url: string;
  readonly qr_svg: string;
  readonly expires_at: string;
}

/** POST /api/visits/{id}/consent. */
export interface GiveConsent {
  readonly recording: true;
  readonly biometrics: true;
}

/** POST /api/visits/{id}/form. */
export interface SubmitForm {
  readonly values: Readonly<Record<string, string>>;
}

/** POST /api/visits/{id}/pages-seen. */
export interface PageSeen {
  readonly document_sha256: string;
  readonly page: number;
}

/** One sample of the finger or pen on the pad. */
export interface Point {
  /** of the pad's width */
  readonly x: number;
  /** of the pad's height */
  readonly y: number;
  /** since the first point */
  readonly t_ms: number;
  readonly pressure?: number | null;
}

/** POST /api/visits/{id}/signature: the customer's own hand, on this very document. */
export interface SignDocument {
  readonly document_sha256: string;
  readonly strokes: readonly (readonly Point[])[];
  /** width / height of the pad */
  readonly pad_ratio: number;
}

/** GET /api/receipts/{record_id}?code=…: what a stranger may know about a record. */
export interface ReceiptCheck {
  readonly record_id: string;
  readonly known: boolean;
  readonly intact: boolean | null;
  /** number and name of the first check that failed */
  readonly broken: string | null;
  readonly outcome: string | null;
  readonly service_title: Text | null;
  readonly sealed_at: string | null;
  readonly manifest_sha256: string | null;
}

export type FromPage =
  | Hello
  | JoinCall
  | RestartLeg
  | Answer
  | Candidate
  | StartFace
  | AskAnotherMovement
  | StopColours
  | DeviceTrouble
  | LineCheck
  | ShowPicture
  | Ping;

export type ToPage =
  | ViewMessage
  | ConsoleMessage
  | OfferMessage
  | RejoinMessage
  | GuidanceMessage
  | ErrorMessage;
