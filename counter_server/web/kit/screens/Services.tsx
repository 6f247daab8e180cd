import type { ReactNode } from "react";
import type { CatalogueView, ServiceOffer } from "../../../../webrtc/web/wire";
import { useDoor } from "../door";
import { Icon, type IconName } from "../Icons";
import { Problem, ScreenTitle, useAction } from "../parts";
import type { Visit } from "../visit";
import { useWords } from "../words";
import { assuranceWords } from "../words/states";

interface ServicesProps {
  readonly visit: Visit;
  readonly catalogue: CatalogueView;
  /** Said below the title: a fault of the desk, or what a phone can prove. */
  readonly remark?: ReactNode;
  readonly below?: ReactNode;
}

/** What this door offers, with the queue, before anybody invests time. */
export function Services({ visit, catalogue, remark, below }: ServicesProps) {
  const { t, language } = useWords();
  const opening = useAction();
  const { waiting, clerks_ready } = catalogue;
  return (
    <>
      <div className="stage">
        <ScreenTitle>{t("servicesTitle")}</ScreenTitle>
        <p className="queue-line">
          <Icon name="clock" />
          {waiting === 0 ? t("servicesNobodyWaits") : t("servicesWaiting", { n: waiting })}
          {" · "}
          {clerks_ready === 0 ? t("servicesNoClerk") : t("servicesClerks", { n: clerks_ready })}
        </p>
        {remark}
      </div>
      <div className="deck">
        <Problem of={opening.problem} />
        {catalogue.services.length === 0 && <p>{t("servicesNone")}</p>}
        <ul className="services">
          {catalogue.services.map((offer) => (
            <Offer
              key={offer.service_id}
              offer={offer}
              busy={opening.busy}
              onChoose={() => void opening.run(() => visit.open(offer.service_id, language))}
            />
          ))}
        </ul>
        {below}
      </div>
    </>
  );
}

const serviceIcon = (offer: ServiceOffer): IconName =>
  offer.needs_approval ? "money" : offer.risk === "high" ? "card" : "home";

interface OfferProps {
  readonly offer: ServiceOffer;
  readonly busy: boolean;
  readonly onChoose: () => void;
}

function Offer({ offer, busy, onChoose }: OfferProps) {
  const { t, say } = useWords();
  const phone = useDoor().channel === "phone";
  const closed = offer.route === "not_here";
  return (
    <li>
      <button type="button" className="service" disabled={closed || busy} onClick={onChoose}>
        <span className="service-icon">
          <Icon name={serviceIcon(offer)} />
        </span>
        <span className="service-words">
          <span className="service-title">{say(offer.title)}</span>
          <span>
            <span className="service-summary">{say(offer.summary)}</span>
            {closed ? (
              <span className="service-closed">
                <Icon name="info" />
                {t(phone ? "servicesNotHere" : "servicesNotHereKiosk")}
              </span>
            ) : (
              <span className="tags">
                <span>{t(offer.route === "clerk" ? "servicesClerk" : "servicesSelf")}</span>
                <span>{t("servicesMinutes", { n: offer.minutes })}</span>
                {offer.needs_approval && <span>{t("servicesApproval")}</span>}
                <span>{t("servicesChecks", { what: say(assuranceWords[offer.assurance]) })}</span>
              </span>
            )}
          </span>
        </span>
        {!closed && <Icon name="next" />}
      </button>
    </li>
  );
}
