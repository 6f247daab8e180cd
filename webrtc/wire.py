"""What two machines say to each other.

Browser, kiosk agent and counter exchange only these models, as JSON. The browser's `webrtc/web/wire.ts` is
generated from this file (`python build_web.py --wire`), so a field that changes here breaks the pages' type check.

Conventions: times are ISO 8601 with zone; durations carry their unit; bytes are standard base64; every model
refuses fields it does not know.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, StringConstraints


class Message(BaseModel):
    """Base of everything on the wire: frozen, and an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# --- words ------------------------------------------------------------------------------------------------------


class Language(StrEnum):
    """Languages every page speaks."""

    ZH = "zh"
    EN = "en"


class Text(Message):
    """One sentence in every language of the house."""

    zh: str
    en: str


class ErrorCode(StrEnum):
    """Why a request was not done. The pages hold one sentence per code and language: what happened, what to do now."""

    BAD_REQUEST = "bad_request"  # unknown or malformed fields
    BODY_TOO_LARGE = "body_too_large"
    NOT_LOGGED_IN = "not_logged_in"
    WRONG_LOGIN = "wrong_login"
    TOO_MANY_TRIES = "too_many_tries"
    NOT_ALLOWED = "not_allowed"
    NOT_FOUND = "not_found"
    WRONG_STEP = "wrong_step"  # the visit is not where this request belongs
    CONFLICT = "conflict"  # same idempotency key, other body
    SERVICE_NEEDS_KIOSK = "service_needs_kiosk"  # this door cannot reach the assurance the service asks for
    LINK_UNKNOWN = "link_unknown"
    LINK_USED = "link_used"
    LINK_EXPIRED = "link_expired"
    NO_READER = "no_reader"
    NO_CARD = "no_card"  # nothing was put on the reader in time
    CARD_REMOVED = "card_removed"  # pulled while it was being read
    CARD_MUTE = "card_mute"  # it is there but does not answer, or is no ID card
    READER_BUSY = "reader_busy"
    WRONG_MRZ = "wrong_mrz"  # the chip refused the key made from what was typed
    NO_SCANNER = "no_scanner"  # of fingers: none here, unplugged, or not to be believed
    SCANNER_BUSY = "scanner_busy"
    NO_FINGER = "no_finger"  # nothing was laid on the glass in time
    FINGER_LIFTED = "finger_lifted"  # taken away before the picture was whole
    FINGER_POOR = "finger_poor"  # too wet, too dry or too little to be looked at; one more try
    COUNTER_UNREACHABLE = "counter_unreachable"
    FORM_INVALID = "form_invalid"  # `field` names the first wrong one
    CHECKLIST_OPEN = "checklist_open"
    UNPRINTABLE = "unprintable"  # `field` names the value with a character the document's fonts lack
    PAGES_UNSEEN = "pages_unseen"
    SIGNATURE_EMPTY = "signature_empty"
    DOCUMENT_CHANGED = "document_changed"  # the hash signed is not the hash shown
    TICKET_TAKEN = "ticket_taken"
    SAME_PERSON = "same_person"  # whoever signed cannot approve
    FACE_UNAVAILABLE = "face_unavailable"  # this counter lacks what judges faces; its log says what
    IDENTITY_NOT_HELD = "identity_not_held"  # who is in the call must be identified again first
    PASSKEY_NEEDED = "passkey_needed"  # the password alone does not do
    PASSKEY_REFUSED = "passkey_refused"  # no assertion of a registered key for this very act
    MEDIA_UNAVAILABLE = "media_unavailable"
    RECORD_BROKEN = "record_broken"  # it is not what was sealed: nothing of it is shown as if it were
    RECORDING_CLOSED = "recording_closed"  # its key was erased, or two people hold it together
    INTERNAL = "internal"


class ErrorBody(Message):
    """The body of every answer that is not 2xx."""

    code: ErrorCode
    message: str = Field(description="English, for people who read APIs; pages show their own words by code")
    field: str | None = None


# --- catalogue --------------------------------------------------------------------------------------------------


class Risk(StrEnum):
    """Risk tier of a service."""

    LOW = "low"
    HIGH = "high"


class Assurance(StrEnum):
    """How much is proven about who is in front of the camera, weakest first."""

    NONE = "none"
    LIVE_PERSON = "live_person"  # a living face followed a random instruction; nothing says whose
    CHIP_AND_FACE = "chip_and_face"  # genuine chip, and its portrait is the living face
    CHIP_AND_FINGER = "chip_and_finger"  # genuine chip, and a finger its holder is known by
    CHIP_FACE_AND_FINGER = "chip_face_and_finger"  # both


class Channel(StrEnum):
    """The door a customer came through."""

    KIOSK = "kiosk"
    PHONE = "phone"


class FieldKind(StrEnum):
    """How a form field is typed and checked."""

    TEXT = "text"
    MONEY = "money"  # whole yuan, digits only
    TEL = "tel"
    EMAIL = "email"  # one address, as mail servers take it
    CHOICE = "choice"


class Choice(Message):
    """One option of a `choice` field."""

    value: str
    label: Text


class FormField(Message):
    """One question of a service's form."""

    name: str
    kind: FieldKind
    label: Text
    hint: Text | None = None
    max_length: int = 120
    required: bool = True
    choices: tuple[Choice, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


class Route(StrEnum):
    """What a service can be done by, through one door."""

    SELF_SERVICE = "self_service"
    CLERK = "clerk"
    NOT_HERE = "not_here"


class ServiceOffer(Message):
    """One service as the customer sees it before choosing."""

    service_id: str
    title: Text
    summary: Text
    risk: Risk
    route: Route = Field(description="for the door that asked")
    assurance: Assurance = Field(description="what this door can reach and the service then relies on")
    minutes: int = Field(description="how long it usually takes, without waiting")
    form: tuple[FormField, ...]
    needs_approval: bool


class CatalogueView(Message):
    """GET /api/catalogue."""

    channel: Channel
    services: tuple[ServiceOffer, ...]
    waiting: int = Field(description="people in the queue now")
    clerks_ready: int


# --- a visit, as its customer sees it -----------------------------------------------------------------------------


class VisitState(StrEnum):
    """Where a visit stands. The customer's page shows one screen per state."""

    CONSENT = "consent"
    CARD = "card"
    FACE = "face"
    FINGER = "finger"
    FORM = "form"
    CONFIRM = "confirm"  # low risk: read once more, then do it
    WAITING = "waiting"
    SERVING = "serving"  # a clerk is on the screen
    READING = "reading"  # the document is open on both screens; ends with the customer's signature
    COUNTERSIGNING = "countersigning"
    APPROVING = "approving"
    SEALING = "sealing"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Reason(StrEnum):
    """Why a visit was refused or interrupted; the pages have words for each."""

    CARD_NOT_GENUINE = "card_not_genuine"
    CARD_EXPIRED = "card_expired"
    CARD_UNKNOWN_ISSUER = "card_unknown_issuer"
    OTHER_CARD = "other_card"  # asked for again in mid-call, somebody else's was laid on
    FACE_DIFFERENT = "face_different"
    NOT_LIVE = "not_live"
    DOCUMENT_TRIES = "document_tries"  # too many face checks with this document failed, in this and other visits
    FINGER_DIFFERENT = "finger_different"
    BY_CLERK = "by_clerk"
    BY_APPROVER = "by_approver"
    SERVER_RESTARTED = "server_restarted"
    CUSTOMER_LEFT = "customer_left"
    CUSTOMER_CANCELLED = "customer_cancelled"
    MEDIA_FAILED = "media_failed"


class CheckOutcome(StrEnum):
    """A check is never just true or false."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_POSSIBLE = "not_possible"


class CheckView(Message):
    """One named check of the chip, face or liveness, with its reason and the clause it comes from."""

    name: str
    outcome: CheckOutcome
    why: str
    clause: str = ""


class Verdict(StrEnum):
    """What a comparison ends in."""

    ACCEPT = "accept"
    REFER = "refer"
    REJECT = "reject"


class Movement(StrEnum):
    """What the liveness check may ask for. Left and right are the person's own."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_UP = "look_up"
    COME_CLOSER = "come_closer"
    BLINK = "blink"


class GuidanceCode(StrEnum):
    """One actionable sentence at a time while the camera looks."""

    STARTING = "starting"
    NO_FACE = "no_face"
    TWO_FACES = "two_faces"
    COME_CLOSER = "come_closer"
    MOVE_BACK = "move_back"
    MOVE_TO_MIDDLE = "move_to_middle"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    SIDE_LIGHT = "side_light"
    COVERED = "covered"
    LOOK_STRAIGHT = "look_straight"
    OPEN_EYES = "open_eyes"
    HOLD_STILL = "hold_still"
    MOVE_NOW = "move_now"  # do the movement in `movement`
    BACK_TO_MIDDLE = "back_to_middle"
    DONE = "done"


class ScreenColour(StrEnum):
    """What the page shows round the picture while the face is checked; the counter draws their order."""

    ROSE = "rose"
    GREEN = "green"
    BLUE = "blue"
    AMBER = "amber"


class Guidance(Message):
    """What the customer should do now, from the latest frames."""

    code: GuidanceCode
    movement: Movement | None = None
    progress: Annotated[float, Field(ge=0, le=1)] = 0.0
    colour: ScreenColour | None = None


class FaceView(Message):
    """What the face check came to. No bare distance leaves the counter."""

    verdict: Verdict
    live: bool
    compared: bool = Field(description="false where there was no chip portrait to compare with")
    fmr_upper: float | None = Field(default=None, description="upper bound of the false match rate at this score")
    comparisons: int | None = Field(default=None, description="impostor comparisons behind that bound")
    engine: str = ""
    reasons: tuple[str, ...] = ()
    attempts_left: int = 0


class FingerTask(StrEnum):
    """What a finger is asked for."""

    ENROL = "enrol"  # several impressions, kept as a template for later visits
    COMPARE = "compare"  # with what is known of the holder


class FingerAdvice(StrEnum):
    """The one thing to change before the next impression."""

    NO_FINGER = "no_finger"
    LIFTED_EARLY = "lifted_early"
    PRESS_MORE = "press_more"
    TOO_DRY = "too_dry"
    TOO_WET = "too_wet"
    MOVE_TO_MIDDLE = "move_to_middle"
    HOLD_STILL = "hold_still"
    CLEAN_GLASS = "clean_glass"
    USE_MORE_OF_PAD = "use_more_of_pad"
    SAME_FINGER = "same_finger"  # of an enrolment: not the finger that was given first
    NOT_ALIKE = "not_alike"  # clear enough, and not the finger that is known
    SENSOR_DOUBTS = "sensor_doubts"  # the sensor itself took it for an imitation


class FingerView(Message):
    """What the finger step asks for and came to. No bare score leaves the counter."""

    task: FingerTask
    position: int = Field(ge=1, le=10, description="ISO/IEC 19794-2: 1 to 5 right thumb to little finger, 6 to 10 left")
    taken: int = Field(default=0, description="impressions that counted so far")
    wanted: int = 1
    advice: FingerAdvice | None = None
    verdict: Verdict | None = Field(default=None, description="None until it is decided, and for an enrolment")
    compared: bool = False
    fmr_upper: float | None = Field(default=None, description="upper bound of a stranger's chance, tries included")
    comparisons: int | None = Field(default=None, description="impostor comparisons behind that bound")
    engine: str = ""
    cannot: bool = Field(default=False, description="no finger could be given: a clerk and a second person decide")
    attempts_left: int = 0
    transaction: str = Field(default="", description="drawn for the next picture, where a device has to sign for it")


class ContinuityState(StrEnum):
    """Whether the person of the face check is still the one in the call."""

    HELD = "held"
    UNCERTAIN = "uncertain"
    BROKEN = "broken"  # nothing is signed until the person is identified again


class ContinuityCue(StrEnum):
    """What spoke against it."""

    OTHER_FACE = "other_face"
    SECOND_FACE = "second_face"
    PICTURE_FROZEN = "picture_frozen"
    NO_FACE = "no_face"
    NO_PICTURE = "no_picture"
    FACE_UNCLEAR = "face_unclear"  # a face is there, and not shown clearly enough to be known
    LINE_REJOINED = "line_rejoined"  # the pictures come by another line than the face check's
    WATCH_LOST = "watch_lost"  # our own process ended, and with it what it remembered


class ContinuityView(Message):
    """Whether the call still has the person of the face check before its camera, and which cue spoke if not."""

    state: ContinuityState
    cue: ContinuityCue | None = None
    needs_card: bool = Field(default=False, description="asked again, the card comes first and then the face")
    again: bool = Field(default=False, description="the person is being identified again in this very call")


class TicketView(Message):
    """A place in the queue."""

    number: str = Field(description="what is called out, such as A017")
    position: int = Field(description="1 is next; 0 when a clerk has taken it")
    waiting_s: int
    estimate_low_s: int | None = None
    estimate_high_s: int | None = None
    clerks_ready: int


class DocumentView(Message):
    """The document both sides look at: one rendering, one hash."""

    title: Text
    sha256: str
    pages: int
    seen_pages: tuple[int, ...] = ()
    signed_by_customer: bool = False
    signed_by_clerk: bool = False


class Line(StrEnum):
    """State of one side's pictures and sound, judged by packets that arrive."""

    NONE = "none"
    CONNECTING = "connecting"
    OK = "ok"
    LOST = "lost"


class LineWay(StrEnum):
    """How a page's pictures and sound can reach the counter."""

    DIRECT = "direct"  # UDP, as it should be
    RELAY = "relay"  # only through the operator's TURN server
    NONE = "none"


class LineVerdict(StrEnum):
    """What a measured line is good for."""

    GOOD = "good"  # for video
    COARSE = "coarse"  # it works; the picture is coarse, sound comes first
    NOT_NOW = "not_now"


class SupervisionMode(StrEnum):
    """How a third person takes part in a call."""

    LISTEN = "listen"
    WHISPER = "whisper"  # to the clerk alone
    JOIN = "join"  # seen and heard by both, and recorded


class ThirdKind(StrEnum):
    """What somebody beside customer and clerk is there for."""

    SUPERVISOR = "supervisor"
    INTERPRETER = "interpreter"
    COLLEAGUE = "colleague"


class ThirdPerson(Message):
    """Who else is in the call, as far as policy tells this side."""

    name: str
    mode: SupervisionMode
    kind: ThirdKind = ThirdKind.SUPERVISOR


class ShownKind(StrEnum):
    """What a customer sends as a second picture."""

    DOCUMENT = "document"  # another camera, over papers
    SCREEN = "screen"


class Receipt(Message):
    """What the customer takes home."""

    record_id: str
    check_code: str = Field(description="with the number, opens the public receipt check")
    check_url: str
    sealed_at: datetime
    proof: str | None = Field(
        default=None,
        description="that the record is in the public log: C2SP tlog-proof with its signed checkpoint, a second later",
    )


class PhoneKey(StrEnum):
    """What a passkey on the customer's phone can do in this visit now. It is a thing they have, never a fingerprint."""

    NONE = "none"
    ASKABLE = "askable"  # one from an earlier visit may be shown
    RECOGNISED = "recognised"  # one was shown and held
    OFFERED = "offered"  # the customer was identified and it is over: one may be made for the next visit
    KEPT = "kept"  # it is over, and one is known that this phone may have removed


class VisitView(Message):
    """Everything a customer's page needs to draw the visit. Sent whole after every change."""

    visit_id: str
    service_id: str
    service_title: Text
    channel: Channel
    language: Language
    state: VisitState
    version: int = Field(description="rises with every change; an older view is ignored")
    route: Route
    assurance: Assurance
    reason: Reason | None = None
    note: str | None = Field(default=None, description="what the clerk wrote to the customer with a refusal")
    form: tuple[FormField, ...]
    values: dict[str, str]
    holder_name: str | None = None
    checks: tuple[CheckView, ...] = ()
    face: FaceView | None = None
    asks_finger: FingerTask | None = Field(default=None, description="what this visit's service wants of a finger")
    finger: FingerView | None = None
    ticket: TicketView | None = None
    clerk_name: str | None = None
    document: DocumentView | None = None
    my_line: Line = Line.NONE
    clerk_line: Line = Line.NONE
    continuity: ContinuityView | None = Field(default=None, description="None outside a call")
    held: bool = Field(default=False, description="the clerk asked to wait a moment: nobody sees or hears the other")
    clerk_muted: bool = False
    third: ThirdPerson | None = None
    receipt: Receipt | None = None
    phone_key: PhoneKey = PhoneKey.NONE


# --- requests of the customer's page ------------------------------------------------------------------------------

Token = Annotated[str, StringConstraints(min_length=22, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
ShortText = Annotated[str, StringConstraints(max_length=400)]


class OpenVisit(Message):
    """POST /api/visits. A phone adds its session as `Authorization: Bearer`; a kiosk is known by its certificate."""

    service_id: ShortText
    language: Language


class VisitOpened(Message):
    """The visit and the token that every later request of this customer carries as `Authorization: Bearer`."""

    visit_token: Token
    view: VisitView


class RedeemLink(Message):
    """POST /api/phone/redeem: a one-time link becomes a phone session, once."""

    link_token: Token


class PhoneSession(Message):
    """What a redeemed link gives: good for opening one visit."""

    phone_token: Token


class PhoneLink(Message):
    """POST /api/kiosk/phone-links or /api/console/phone-links."""

    url: str
    qr_svg: str
    expires_at: datetime


class GiveConsent(Message):
    """POST /api/visits/{id}/consent."""

    recording: Literal[True]
    biometrics: Literal[True]


class CardAccess(Message):
    """POST /api/visits/{id}/card on the kiosk agent: what BAC derives its key from. Stays on the desk."""

    document_number: Annotated[
        str, StringConstraints(pattern=r"^[A-Z0-9]{1,30}$", to_upper=True, strip_whitespace=True)
    ]
    date_of_birth: date
    date_of_expiry: date
    fingers: bool = Field(default=False, description="a finger will be compared: the chip's are wanted, if permitted")


class ChipEvidenceMessage(Message):
    """POST /api/visits/{id}/chip-evidence, kiosk agent to counter: the files as the chip gave them."""

    access: Literal["BAC", "PACE"]
    atr: Annotated[Base64Bytes, Field(max_length=64)]
    ef_com: Annotated[Base64Bytes, Field(max_length=4096)]
    ef_sod: Annotated[Base64Bytes, Field(max_length=65536)]
    data_groups: dict[int, Annotated[Base64Bytes, Field(max_length=400_000)]]
    read_ms: int
    reader: ShortText
    proofs: Annotated[
        Base64Bytes,
        Field(
            max_length=131_072, description="JSON of id_chip.evidence.proofs_of: what the chip proved against copies"
        ),
    ] = b""


class ChipChallenge(Message):
    """Answer to POST /api/visits/{id}/chip-challenge, counter to kiosk agent: what the chip must prove itself over."""

    challenge: Annotated[Base64Bytes, Field(min_length=8, max_length=32)]


class AskChipOffer(Message):
    """POST /api/visits/{id}/chip-offer, kiosk agent to counter: which keys this chip claims to have."""

    dg14: Annotated[Base64Bytes, Field(max_length=65536)]


class ChipOffer(Message):
    """Its answer: the counter's own public key for chip authentication, and the first command under keys only it has.

    Everything is empty where the chip has no key for it.
    """

    oid: ShortText
    key_id: int | None
    terminal_public: Base64Bytes
    command: Base64Bytes


FingerPosition = Annotated[
    int, Field(ge=0, le=10, description="ISO/IEC 19794-2: 1 to 5 right thumb to little finger, 6 to 10 left, 0 unknown")
]


class AskFinger(Message):
    """POST /api/visits/{id}/finger on the kiosk agent: wait for this finger and hand its picture to the counter."""

    position: FingerPosition
    transaction: Annotated[str, StringConstraints(pattern="^(?:[0-9a-f]{32})?$")] = Field(
        default="", description="as in FingerView: what a device that signs is to sign with the picture"
    )


class PadVerdict(StrEnum):
    """What a scanner itself says about an imitation. Only a sensor that looks for one may say anything."""

    LIVE = "live"
    ATTACK = "attack"
    NOT_JUDGED = "not_judged"


class SensorPad(Message):
    """The scanner's own verdict on presentation attacks, with whoever gave it. Never a claim of our software."""

    verdict: PadVerdict = PadVerdict.NOT_JUDGED
    source: Annotated[str, StringConstraints(max_length=80)] = ""
    score: float | None = Field(default=None, description="on the source's own scale")


class FingerEvidenceMessage(Message):
    """POST /api/kiosk/visits/{id}/finger, kiosk agent to counter: one picture of a finger, as the scanner gave it."""

    position: FingerPosition = Field(description="what was asked for; a scanner cannot see which finger it is")
    image_png: Annotated[Base64Bytes, Field(max_length=3_000_000, description="grey, 8 bits, ridges dark")]
    dpi: Annotated[int, Field(ge=100, le=1200)]
    scanner: ShortText = Field(description="maker, model and serial number")
    sensor_pad: SensorPad = SensorPad()
    quality: Annotated[int, Field(ge=0, le=100, description="a hint of the desk's, from area and contrast")] | None = (
        None
    )
    attempt: Annotated[int, Field(ge=1, le=100, description="of this visit and finger at this desk")] = 1
    capture_ms: Annotated[int, Field(ge=0)] = 0
    device_statement: Annotated[
        Base64Bytes,
        Field(
            max_length=3_000_000, description="what the scanner signed (SBI: JWS with the record), for a second check"
        ),
    ] = b""


class CannotGiveFinger(Message):
    """POST /api/visits/{id}/finger-cannot: people decide instead. Nothing is lost by it and nobody asks why."""

    why: Literal["customer", "no_scanner"] = "customer"


class SubmitForm(Message):
    """POST /api/visits/{id}/form."""

    values: dict[Annotated[str, StringConstraints(max_length=40)], ShortText]


class PageSeen(Message):
    """POST /api/visits/{id}/pages-seen."""

    document_sha256: ShortText
    page: Annotated[int, Field(ge=1, le=200)]


class Point(Message):
    """One sample of the finger or pen on the pad."""

    x: Annotated[float, Field(ge=0, le=1, description="of the pad's width")]
    y: Annotated[float, Field(ge=0, le=1, description="of the pad's height")]
    t_ms: Annotated[int, Field(ge=0, le=600_000, description="since the first point")]
    pressure: Annotated[float, Field(ge=0, le=1)] | None = None


class SignDocument(Message):
    """POST /api/visits/{id}/signature: the customer's own hand, on this very document."""

    document_sha256: ShortText
    strokes: Annotated[tuple[Annotated[tuple[Point, ...], Field(max_length=4000)], ...], Field(max_length=60)]
    pad_ratio: Annotated[float, Field(gt=0.2, lt=20, description="width / height of the pad")]


# --- live channel: one WebSocket per page ---------------------------------------------------------------------------


class Hello(Message):
    """First message of a customer's page on /api/visits/{id}/live; a console is known by its cookie and sends none."""

    type: Literal["hello"] = "hello"
    visit_token: Token


class CallPart(StrEnum):
    """Which of a page's legs. Nothing is mixed, so whoever takes part beside the two comes over more of them."""

    MAIN = "main"
    THIRD = "third"  # customer or clerk: whoever joined them
    WATCH_CUSTOMER = "watch-customer"  # a supervisor: the customer, and the supervisor's own voice
    WATCH_CLERK = "watch-clerk"  # a supervisor: the clerk
    SHOWN = "shown"  # the customer's second picture: sent by one leg, seen by the clerk on another
    CHECK = "check"  # a customer before the queue: what is sent comes back, to measure the line


class JoinCall(Message):
    """The page has camera and microphone and wants its leg; answered by an `offer`. Also used to rejoin."""

    type: Literal["join"] = "join"
    part: CallPart = CallPart.MAIN


class RestartLeg(Message):
    """The line of a leg that was up has gone quiet: another way is wanted; answered by an `offer` for the same leg."""

    type: Literal["restart"] = "restart"
    leg_id: ShortText


class Answer(Message):
    """The page's SDP answer."""

    type: Literal["answer"] = "answer"
    leg_id: ShortText
    sdp: Annotated[str, StringConstraints(max_length=60_000)]


class Candidate(Message):
    """A trickled ICE candidate of the page; null ends them."""

    type: Literal["candidate"] = "candidate"
    leg_id: ShortText
    candidate: Annotated[str, StringConstraints(max_length=2_000)] | None
    sdp_mid: ShortText | None = None
    sdp_mline_index: int | None = None


class StartFace(Message):
    """Camera is up: begin (or repeat) the face check."""

    type: Literal["start_face"] = "start_face"
    colours: bool = Field(default=False, description="this screen may change its colour: nobody asked it not to")


class StopColours(Message):
    """The customer wants no changing colours; no reason is asked and nothing is lost by it."""

    type: Literal["stop_colours"] = "stop_colours"


class AskAnotherMovement(Message):
    """The customer cannot do the movement asked for; no reason is asked and nothing is lost by it."""

    type: Literal["ask_another_movement"] = "ask_another_movement"


class DeviceTrouble(Message):
    """The page could not get its camera or microphone; told to the clerk and journaled."""

    type: Literal["device_trouble"] = "device_trouble"
    device: Literal["camera", "microphone"]
    trouble: Literal["refused", "missing", "busy", "ended"]


class ShowPicture(Message):
    """The customer begins to show something beside themselves, or no longer does (null). Journaled and recorded."""

    type: Literal["show"] = "show"
    what: ShownKind | None


class LineCheck(Message):
    """What the page measured over a `check` leg before the queue; ends that leg. Told to the clerk, journaled."""

    type: Literal["line_check"] = "line_check"
    verdict: LineVerdict
    way: LineWay
    round_trip_ms: Annotated[int, Field(ge=0, le=60_000)] | None = None
    loss_percent: Annotated[float, Field(ge=0, le=100, description="of the worse direction")] | None = None
    kbit_s: Annotated[int, Field(ge=0, le=10_000_000, description="of the narrower direction")] | None = None


class Ping(Message):
    """Every 3 s; a page that is silent for 10 s counts as gone for now."""

    type: Literal["ping"] = "ping"


FromPage = Annotated[
    Hello
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
    | Ping,
    Field(discriminator="type"),
]


class ViewMessage(Message):
    """The visit changed."""

    type: Literal["view"] = "view"
    view: VisitView


class OfferMessage(Message):
    """The counter offers a leg: one audio and one video section, both sendrecv."""

    type: Literal["offer"] = "offer"
    part: CallPart = CallPart.MAIN
    leg_id: str
    sdp: str
    ice_servers: tuple["IceServer", ...] = ()


class IceServer(Message):
    """A TURN server with credentials good for minutes."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


class RejoinMessage(Message):
    """The page's leg is gone or is needed on another worker: join again now."""

    type: Literal["rejoin"] = "rejoin"
    part: CallPart = CallPart.MAIN


class GuidanceMessage(Message):
    """What the camera wants now."""

    type: Literal["guidance"] = "guidance"
    guidance: Guidance


class ErrorMessage(Message):
    """A live message could not be done; the connection stays."""

    type: Literal["error"] = "error"
    error: ErrorBody


# --- the clerk's console ------------------------------------------------------------------------------------------


class Login(Message):
    """POST /api/console/login; answers ClerkView and a session cookie."""

    username: ShortText
    password: ShortText


class ClerkView(Message):
    """Who is logged in."""

    clerk_id: str
    name: str
    roles: tuple[str, ...]
    language: Language
    passkeys: int = Field(default=0, description="how many are registered; with one, it signs in the password's place")


class PasskeyQuestion(Message):
    """What the browser is to ask the authenticator: WebAuthn's options, as JSON text."""

    options: str


PasskeyAnswer = Annotated[str, StringConstraints(max_length=16_384)]  # a credential's `toJSON()`, as text


class NewPasskey(Message):
    """POST /api/console/passkeys/question: in person, so with the password; answers PasskeyQuestion."""

    password: ShortText


class RegisterPasskey(Message):
    """POST /api/console/passkeys; answers ClerkView."""

    credential: PasskeyAnswer


class PasskeyLogin(Message):
    """POST /api/console/login/passkey; answers ClerkView and a session cookie."""

    credential: PasskeyAnswer


class ShowPhoneKey(Message):
    """POST /api/visits/{id}/phone-key: a passkey of an earlier visit; answers VisitView.

    The question before is POST /api/visits/{id}/phone-key/question and answers PasskeyQuestion.
    """

    credential: PasskeyAnswer


class KeepPhoneKey(Message):
    """POST /api/visits/{id}/phone-key/new: a passkey for the next visit; answers VisitView.

    The question before is POST /api/visits/{id}/phone-key/new-question; /phone-key/remove takes it back.
    """

    credential: PasskeyAnswer


class AskToAct(Message):
    """POST /api/console/visits/{id}/act-question: a challenge that names this act; answers PasskeyQuestion."""

    action: Literal["countersign", "approve", "decline"]
    document_sha256: ShortText


class TicketRow(Message):
    """One waiting customer in the clerk's list; nothing personal before it is taken."""

    ticket_id: str
    number: str
    service_title: Text
    channel: Channel
    language: Language
    waiting_s: int
    referred: bool = Field(description="the face check asked for a clerk's eyes")


class ChecklistItem(Message):
    """One thing the clerk must look at, ask or say before the document may go out."""

    item_id: str
    text: Text
    outcome: CheckOutcome | None = None
    note: str = ""


class HolderView(Message):
    """What the chip says about its holder (DG1)."""

    name: str
    document_number: str
    issuing_state: str
    nationality: str
    date_of_birth: date | None = Field(description="None where the document leaves a part of it unknown")
    date_of_expiry: date
    sex: str


class ClerkVisit(Message):
    """A visit as the clerk who serves it sees it."""

    visit_id: str
    ticket_number: str
    service_title: Text
    channel: Channel
    language: Language
    state: VisitState
    version: int
    assurance: Assurance
    holder: HolderView | None
    checks: tuple[CheckView, ...]
    face: FaceView | None
    finger: FingerView | None = None
    has_portrait: bool
    has_live_picture: bool
    form: tuple[FormField, ...]
    values: dict[str, str]
    checklist: tuple[ChecklistItem, ...]
    checklist_complete: bool
    document: DocumentView | None
    needs_approval: bool
    approval: Literal["none", "waiting", "approved", "declined"]
    customer_line: Line
    my_line: Line
    customer_trouble: str | None = None
    line_check: LineCheck | None = Field(default=None, description="as the customer's page found it before the queue")
    continuity: ContinuityView | None = Field(default=None, description="None outside a call")
    held: bool = False
    muted: bool = False
    third: ThirdPerson | None = None
    shown: ShownKind | None = None
    reason: Reason | None = None
    receipt: Receipt | None = None


class RunningCall(Message):
    """A call that a supervisor may take part in; nothing personal."""

    visit_id: str
    ticket_number: str
    service_title: Text
    clerk_name: str
    mode: SupervisionMode | None = Field(default=None, description="how the one who looks takes part now")


class Colleague(Message):
    """Somebody at a console who is free to come into a call."""

    clerk_id: str
    name: str
    kind: ThirdKind


class InvitationView(Message):
    """A call this clerk was asked into, or takes part in by invitation; nothing personal."""

    visit_id: str
    ticket_number: str
    service_title: Text
    clerk_name: str
    language: Language
    joined: bool


class ApprovalRow(Message):
    """A document that waits for a second person."""

    visit_id: str
    ticket_number: str
    service_title: Text
    clerk_name: str
    values: dict[str, str]
    form: tuple[FormField, ...]
    holder: HolderView | None
    checks: tuple[CheckView, ...]
    face: FaceView | None
    finger: FingerView | None = None
    checklist: tuple[ChecklistItem, ...]
    document: DocumentView
    mine: bool = Field(description="signed by whoever is looking, who therefore cannot approve it")


class ConsoleView(Message):
    """Everything a console draws. Sent whole after every change."""

    clerk: ClerkView
    version: int
    waiting: tuple[TicketRow, ...]
    visit: ClerkVisit | None
    approvals: tuple[ApprovalRow, ...]
    media_ok: bool
    calls: tuple[RunningCall, ...] = Field(
        default=(), description="for supervisors, and of an invited colleague theirs"
    )
    colleagues: tuple[Colleague, ...] = Field(default=(), description="whom this clerk could ask into the call now")
    invited: str | None = Field(default=None, description="clerk_id of whoever was asked and has not answered")
    invitation: InvitationView | None = None


class ConsoleMessage(Message):
    """The console changed."""

    type: Literal["console"] = "console"
    console: ConsoleView


ToPage = Annotated[
    ViewMessage | ConsoleMessage | OfferMessage | RejoinMessage | GuidanceMessage | ErrorMessage,
    Field(discriminator="type"),
]


class SetChecklistItem(Message):
    """POST /api/console/visits/{id}/checklist/{item_id}."""

    outcome: CheckOutcome
    note: ShortText = ""


class Countersign(Message):
    """POST /api/console/visits/{id}/countersign: the clerk's own act, with a passkey or the password once more."""

    document_sha256: ShortText
    password: ShortText = ""
    passkey: PasskeyAnswer = ""


class SetCall(Message):
    """POST /api/console/visits/{id}/call: let the customer wait, switch the own microphone off. Journaled."""

    held: bool
    muted: bool


class Supervise(Message):
    """POST /api/console/visits/{id}/supervision by a supervisor; null leaves. Journaled, told as policy decides."""

    mode: SupervisionMode | None


class Invite(Message):
    """POST /api/console/visits/{id}/invitation by the clerk who serves it; null takes it back. Journaled."""

    clerk_id: ShortText | None


class AnswerInvitation(Message):
    """POST /api/console/visits/{id}/invitation/answer; declining after having joined leaves. Journaled."""

    accept: bool


class RefuseVisit(Message):
    """POST /api/console/visits/{id}/refuse."""

    note: Annotated[str, StringConstraints(min_length=1, max_length=400)]


class Approve(Message):
    """POST /api/console/visits/{id}/approval by a second person."""

    decision: Literal["approve", "decline"]
    document_sha256: ShortText
    password: ShortText = ""
    note: ShortText = ""
    passkey: PasskeyAnswer = ""


# --- watching what was recorded ------------------------------------------------------------------------------------


class RecordedVisit(Message):
    """A sealed record with a recording, as a list shows it."""

    record_id: str
    service_title: Text
    outcome: str
    channel: str
    sealed_at: datetime


class RecordedVisits(Message):
    """GET /api/console/recordings, for auditors and supervisors; newest first."""

    records: tuple[RecordedVisit, ...]


class WatchRecording(Message):
    """POST /api/console/recordings/{record_id}/viewings. Noted for ever before anything is opened."""

    reason: Annotated[str, StringConstraints(min_length=8, max_length=400, strip_whitespace=True)]


class RecordedPiece(Message):
    """A stretch of a track's file that begins at a cluster and can be played from the next key picture on."""

    offset: int
    size: int
    start_ms: int = Field(description="on the track's clock")


class RecordedGap(Message):
    """Nothing arrived."""

    start_ms: int
    duration_ms: int


class MeasuredSize(Message):
    """From this moment of the track on, its pictures have this size."""

    at_ms: int
    width: int
    height: int


class MeasuredMinute(Message):
    """Packets of one minute of the track. Repaired ones came only after later ones, lost ones never."""

    packets: int
    lost: int
    repaired: int


class MeasuredLine(Message):
    """How good the line was, measured while it was recorded. Skew: how much later than sound pictures stand."""

    sizes: tuple[MeasuredSize, ...]
    skew_mean_ms: float | None
    skew_worst_ms: float | None
    minutes: tuple[MeasuredMinute, ...]


class RecordedSide(Message):
    """One track: GET /api/console/viewings/{viewing_id}/{number}.mkv, by ranges."""

    number: int
    side: str
    started_at: datetime
    starts_ms: int = Field(description="after the first track of the record")
    duration_ms: int
    frames_per_s: float = Field(description="measured outside gaps; 0 where nobody could measure")
    complete: bool
    line: MeasuredLine | None = Field(description="null where nobody measured, or the figures' key is gone")
    gaps: tuple[RecordedGap, ...]
    pieces: tuple[RecordedPiece, ...]


class ViewingView(Message):
    """A viewing that has been noted, and what can be watched."""

    viewing_id: Token
    record_id: str
    duration_ms: int
    tracks: tuple[RecordedSide, ...]


# --- the kiosk agent's own answers ------------------------------------------------------------------------------------


class ReaderState(StrEnum):
    """What the card reader is good for right now."""

    NO_SERVICE = "no_service"
    NO_READER = "no_reader"
    EMPTY = "empty"
    CARD_PRESENT = "card_present"
    READING = "reading"


class CardStep(StrEnum):
    """Progress of one reading, in the order of ICAO 9303."""

    WAITING_FOR_CARD = "waiting_for_card"
    OPENING = "opening"
    ACCESS = "access"
    READING_SECURITY = "reading_security"
    READING_TEXT = "reading_text"
    READING_PORTRAIT = "reading_portrait"
    CHECKING = "checking"


class ScannerState(StrEnum):
    """What the fingerprint scanner is good for right now."""

    NONE = "none"  # this desk has none
    READY = "ready"
    GONE = "gone"  # it should have one, which does not answer
    CAPTURING = "capturing"


class FingerStep(StrEnum):
    """Progress of one capture."""

    WAITING_FOR_FINGER = "waiting_for_finger"
    HOLD_STILL = "hold_still"  # a finger is there
    CHECKING = "checking"  # it may be lifted


class KioskView(Message):
    """GET /api/kiosk (poll once a second while the card screen or the finger screen is open)."""

    kiosk_id: str
    name: str
    reader: ReaderState
    reader_name: str | None = None
    card_step: CardStep | None = None
    scanner: ScannerState = ScannerState.NONE
    finger_step: FingerStep | None = None
    counter_reachable: bool


class ReceiptCheck(Message):
    """GET /api/receipts/{record_id}?code=…: what a stranger may know about a record."""

    record_id: str
    known: bool
    intact: bool | None = None
    broken: str | None = Field(default=None, description="number and name of the first check that failed")
    outcome: str | None = None
    service_title: Text | None = None
    sealed_at: datetime | None = None
    manifest_sha256: str | None = None
