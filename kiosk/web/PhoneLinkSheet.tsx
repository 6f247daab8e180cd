import { useEffect, useState } from "react";
import type { Api } from "../../counter_server/web/kit/api";
import { svgAddress } from "../../counter_server/web/kit/Pictures";
import { Button, Patience, Problem, Sheet, useAction } from "../../counter_server/web/kit/parts";
import { useWords } from "../../counter_server/web/kit/words";
import type { PhoneLink } from "../../webrtc/web/wire";

/** A one-time link for the customer's own phone, as a code to scan. */
export function PhoneLinkSheet({ api, onClose }: { readonly api: Api; readonly onClose: () => void }) {
  const { t, language } = useWords();
  const [link, setLink] = useState<PhoneLink | null>(null);
  const { run, problem } = useAction();
  useEffect(() => {
    void run(async () => setLink(await api.post<PhoneLink>("/api/kiosk/phone-links")));
  }, [api, run]);
  return (
    <Sheet title={t("phoneTitle")} onClose={onClose}>
      <Problem of={problem} />
      {link === null && problem === null && <Patience>{t("busy")}</Patience>}
      {link !== null && (
        <>
          <p>{t("phoneText")}</p>
          <img className="qr" alt={t("phoneQr")} src={svgAddress(link.qr_svg)} />
          <p className="address" data-phone-link={link.url}>
            {link.url}
          </p>
          <p className="hint">
            {t("phoneValid", {
              time: new Date(link.expires_at).toLocaleTimeString(language === "zh" ? "zh-CN" : "en-GB", {
                hour: "2-digit",
                minute: "2-digit",
              }),
            })}
          </p>
          <p className="hint">{t("phoneLimits")}</p>
        </>
      )}
      <div className="actions">
        <Button kind="primary" onPress={onClose}>
          {t("close")}
        </Button>
      </div>
    </Sheet>
  );
}
