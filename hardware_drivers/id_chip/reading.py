"""One reading under way: what each step does, what it leaves behind, and what this chip turns out unable to do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from hardware_drivers.errors import CardError, MalformedFileError, NotAnIdCardError, StatusError, TamperedAnswerError
from hardware_drivers.id_chip.active_auth import ActiveAuthenticationProof, authenticate_chip
from hardware_drivers.id_chip.bac import open_by_bac
from hardware_drivers.id_chip.block_sizes import buffer_in, first_answer_max, next_smaller
from hardware_drivers.id_chip.chip_auth import (
    SALT_LENGTH,
    ChipKey,
    EphemeralKey,
    Offer,
    Witness,
    chip_key_of,
    ephemeral_key,
    keys_after,
    run_offer,
    send_ephemeral,
)
from hardware_drivers.id_chip.cv_certificate import ReadRight
from hardware_drivers.id_chip.evidence import ChipAuthenticationProof, ChipEvidence
from hardware_drivers.id_chip.file_reader import (
    AheadChannel,
    BlockTooLargeError,
    FileReader,
    begin_in_clear,
    is_about_length,
    plain_room,
    read_in_clear,
)
from hardware_drivers.id_chip.files import (
    EF_ATR_SFI,
    EF_CARD_ACCESS,
    EF_CARD_SECURITY,
    EF_COM,
    EF_SOD,
    ID_APPLICATION,
    ElementaryFile,
    data_group,
)
from hardware_drivers.id_chip.keys import RandomBytes
from hardware_drivers.id_chip.lds import parse_com
from hardware_drivers.id_chip.mrz import MrzKey
from hardware_drivers.id_chip.pace import PaceSession, establish_pace
from hardware_drivers.id_chip.pace_mapping import MappingProof
from hardware_drivers.id_chip.pace_password import PacePassword
from hardware_drivers.id_chip.secure_messaging import SecureChannel
from hardware_drivers.id_chip.security_infos import SecurityInfos, parse_dg14, parse_security_infos
from hardware_drivers.id_chip.sod import parse_sod
from hardware_drivers.id_chip.terminal_auth import TerminalCredential, chip_identity, open_fingerprints
from hardware_drivers.smartcard.apdu import SHORT_NE_MAX, Command, Response
from hardware_drivers.smartcard.channel import CardLink, Channel, LinkLimits, PlainChannel

USUAL_GROUPS = frozenset({1, 2, 11, 12})  # zone, portrait, further text; 14 and 15 are read for their protocols
FINGERPRINTS = 3
# By name and without Le, which German chips refuse (research id_card.md §5).
SELECT_APPLICATION = Command(0x00, 0xA4, 0x04, 0x0C, ID_APPLICATION)
SELECT_MASTER_FILE = Command(0x00, 0xA4, 0x00, 0x0C, bytes.fromhex("3F00"))
NO_SUCH_APPLICATION = {0x6A82, 0x6A81, 0x6D00, 0x6E00, 0x6999}


class Protocol(StrEnum):
    """What a reading can go without when a chip chokes on it."""

    PACE = "pace"
    CHIP_AUTHENTICATION = "chip_authentication"
    ACTIVE_AUTHENTICATION = "active_authentication"
    TERMINAL_AUTHENTICATION = "terminal_authentication"
    COUNTER_RUN = "counter_run"
    GUESSED_DG14 = "guessed_dg14"  # asking for it before the security object has said that it is there


class ChokedError(Exception):
    """The chip broke a session off during this protocol; without it the rest can still be read."""

    def __init__(self, part: Protocol | int, cause: CardError) -> None:
        super().__init__(str(part))
        self.part = part
        self.cause = cause


@dataclass(slots=True)
class Reading:
    """One reading under way: what was asked, what came home so far, and what this chip cannot do."""

    link: CardLink
    access: MrzKey | PacePassword
    short_challenge: bytes
    challenge: bytes
    rng: RandomBytes
    on_step: Callable[[str], None]
    groups: frozenset[int]
    credential: TerminalCredential | None
    offer: Callable[[bytes], Offer | None] | None
    monotonic: Callable[[], float]
    answer_max: int = field(init=False)
    without: set[Protocol | int] = field(default_factory=set)
    choked_before: bool = False
    card_access: bytes | None = None
    card_security: bytes = b""
    opened_by: str = "BAC"
    files: dict[int, bytes] = field(default_factory=dict)
    not_permitted: list[int] = field(default_factory=list)
    active: ActiveAuthenticationProof | None = None
    chip: ChipAuthenticationProof | None = None
    mapping: MappingProof | None = None
    timings_ms: dict[str, int] = field(default_factory=dict)
    running: tuple[str, float] | None = None

    def __post_init__(self) -> None:
        """Begin with the largest blocks that anybody claims to carry."""
        self.answer_max = first_answer_max(self.link)

    @property
    def counter_may_run(self) -> bool:
        """Whether there is a counter to run chip authentication, and the chip has not choked on that."""
        return self.offer is not None and Protocol.COUNTER_RUN not in self.without

    def begin_again(self) -> PlainChannel:
        """A new attempt: nothing that was read under a session that broke counts."""
        self.files.clear()
        self.not_permitted.clear()
        return PlainChannel(self.link)

    def take_smaller_blocks(self) -> None:
        """After blocks that did not pass; `StatusError` when there is nothing smaller to try."""
        smaller = next_smaller(self.answer_max)
        if smaller is None:
            raise StatusError(0x6700, "READ BINARY, whatever the length")
        if self.answer_max > SHORT_NE_MAX >= smaller:
            limits = self.link.limits
            self.link.learn(LinkLimits(extended=False, command_max=min(255, limits.command_max), answer_max=smaller))
        self.answer_max = smaller

    def go_on_without(self, choked: ChokedError) -> None:
        """Leave that protocol out from now on; its error counts when it had been left out already.

        Chip authentication is tried twice: its failure calls the document a copy, and one broken answer may be chance.
        """
        if choked.part in self.without:
            raise choked.cause
        if choked.part is Protocol.CHIP_AUTHENTICATION and not self.choked_before:
            self.choked_before = True
            return
        self.without.add(choked.part)

    def evidence(self, read_ms: int) -> ChipEvidence:
        """What came home."""
        outside = (EF_COM.fid, EF_SOD.fid)
        return ChipEvidence(
            access=self.opened_by,
            atr=self.link.atr,
            ef_com=self.files[EF_COM.fid],
            ef_sod=self.files[EF_SOD.fid],
            data_groups={fid - 0x0100: content for fid, content in self.files.items() if fid not in outside},
            read_ms=read_ms,
            ef_card_access=self.card_access or b"",
            ef_card_security=self.card_security,
            active_authentication=self.active,
            chip_authentication=self.chip,
            mapping=self.mapping,
            not_permitted=tuple(self.not_permitted),
            timings_ms=dict(self.timings_ms),
        )

    def look_around(self, plain: Channel) -> None:
        """EF.CardAccess, and what EF.ATR/INFO says of the chip's buffers; both once per reading."""
        if self.card_access is not None:
            plain.transmit(SELECT_MASTER_FILE)  # back from the application; a chip that has no such way refuses
            return
        if self.answer_max <= SHORT_NE_MAX:
            self.card_access = read_in_clear(plain, EF_CARD_ACCESS)
            return
        ask_buffers = Command(0x00, 0xB0, 0x80 | EF_ATR_SFI, 0x00, ne=SHORT_NE_MAX)
        answers = plain.transmit_many([begin_in_clear(EF_CARD_ACCESS), ask_buffers])
        self.card_access = read_in_clear(plain, EF_CARD_ACCESS, answers[0])
        told = buffer_in((answers[1] if len(answers) > 1 else plain.transmit(ask_buffers)).data)
        self.answer_max = max(SHORT_NE_MAX, min(self.answer_max, told or self.answer_max))

    def open(self, plain: PlainChannel) -> tuple[SecureChannel, PaceSession | None]:
        """The application under secure messaging."""
        if _offers_pace(self.card_access or b"") and Protocol.PACE not in self.without:
            return self._open_by_pace(plain)
        if not isinstance(self.access, MrzKey):
            raise NotAnIdCardError("the chip has no PACE; it opens with the printed zone only")
        _select_application(plain)
        self.opened_by, self.mapping = "BAC", None
        return open_by_bac(plain, self.access, self.rng), None

    def _open_by_pace(self, plain: PlainChannel) -> tuple[SecureChannel, PaceSession]:
        """PACE in the Master File, what it leaves there to read, then the application."""
        password = PacePassword.mrz(self.access) if isinstance(self.access, MrzKey) else self.access
        try:
            pace = establish_pace(plain, password, self.card_access or b"", self.rng)
        except (StatusError, MalformedFileError) as error:
            # offered and then not spoken: the printed zone may still open the chip the old way
            raise (ChokedError(Protocol.PACE, error) if isinstance(self.access, MrzKey) else error) from error
        self.opened_by, self.mapping = "PACE", pace.proof
        if pace.proof is not None:
            self.card_security = self._reader(pace.channel).read(EF_CARD_SECURITY)
        return pace.channel, pace  # the application is selected along with the first files

    def take_signed_list(self, session: SecureChannel, pace: PaceSession | None) -> frozenset[int]:
        """EF.COM and EF.SOD, and which groups they say are there.

        After PACE the application is still to be selected, and DG14 is there as good as surely (Doc 9303-11 §9.2
        repeats EF.CardAccess in it): one journey for all four.
        """
        if pace is None:
            self.take(session, EF_COM, EF_SOD)
        else:
            guess = [] if Protocol.GUESSED_DG14 in self.without else [data_group(14)]
            channel = AheadChannel(session, SELECT_APPLICATION, _judge_selection)
            try:
                self.files.update(FileReader(channel, self._room(session)).read_many((EF_COM, EF_SOD, *guess)))
            except BlockTooLargeError:
                raise
            except StatusError as error:
                raise (ChokedError(Protocol.GUESSED_DG14, error) if guess else error) from error
        return _groups_present(self.files[EF_SOD.fid], self.files[EF_COM.fid])

    def take_infos(self, session: SecureChannel, present: frozenset[int]) -> SecurityInfos:
        """What DG14 offers; nothing where it is missing, unsigned or broken, which its own check will say."""
        dg14 = data_group(14)
        if 14 not in present:
            self.files.pop(dg14.fid, None)  # there, but nobody signed it
            return SecurityInfos()
        self.take(session, dg14)
        try:
            return parse_dg14(self.files[dg14.fid])
        except MalformedFileError:
            return SecurityInfos()

    def authenticate_chip(
        self, plain: Channel, session: SecureChannel, key: ChipKey, *, with_signing_key: bool
    ) -> tuple[SecureChannel, EphemeralKey | None]:
        """Our own run of chip authentication; what the first answer under the new keys was is kept as its proof."""
        if Protocol.CHIP_AUTHENTICATION in self.without:
            return session, None
        salt = self.rng(SALT_LENGTH)
        ephemeral = ephemeral_key(key.public.domain, self.challenge, salt)
        try:
            agreed = send_ephemeral(session, key, ephemeral.public)
        except StatusError as error:
            raise ChokedError(Protocol.CHIP_AUTHENTICATION, error) from error
        if agreed is None:
            return session, None
        witness = Witness(plain)
        try:
            renewed = SecureChannel(witness, keys_after(key, ephemeral, agreed))
            self.take(renewed, data_group(1), *([data_group(15)] if with_signing_key else []))
        except BlockTooLargeError:
            raise
        except (StatusError, TamperedAnswerError, MalformedFileError) as error:
            # a copy: it cannot go on under keys made from a private key it lacks. The failed proof goes home, and the
            # files are read without it, so that whoever judges can say what is wrong.
            raise ChokedError(Protocol.CHIP_AUTHENTICATION, error) from error
        finally:
            exchange = (b"", agreed.version_2) if agreed.version_2 else (witness.command, witness.answer)
            self.chip = ChipAuthenticationProof(key.oid, key.key_id, salt, ephemeral.public, *exchange)
        return renewed, ephemeral

    def authenticate_actively(self, session: SecureChannel) -> None:
        """A signature over the challenge."""
        if Protocol.ACTIVE_AUTHENTICATION in self.without:
            return
        extended = self.answer_max > SHORT_NE_MAX
        try:
            self.active = authenticate_chip(session, self.short_challenge, extended=extended)
        except StatusError as error:
            if extended and is_about_length(error.sw):
                raise BlockTooLargeError(error.sw, "INTERNAL AUTHENTICATE") from error
            raise ChokedError(Protocol.ACTIVE_AUTHENTICATION, error) from error

    def read_fingerprints(
        self, session: SecureChannel, ephemeral: EphemeralKey | None, pace: PaceSession | None
    ) -> None:
        """DG3 after terminal authentication; without a right to it, it is `not_permitted`, which is no error."""
        granted = ReadRight(0)
        if self.credential and ephemeral and Protocol.TERMINAL_AUTHENTICATION not in self.without:
            try:
                granted = open_fingerprints(session, self.credential, chip_identity(self.access, pace), ephemeral, pace)
            except StatusError as error:
                raise ChokedError(Protocol.TERMINAL_AUTHENTICATION, error) from error
        if not granted & ReadRight.DG3 or not self.take_optional(session, FINGERPRINTS):
            self.not_permitted.append(FINGERPRINTS)

    def take_details(self, session: SecureChannel, numbers: list[int]) -> None:
        """Further groups; one that the chip keeps to itself is `not_permitted`: some states close DG11 like DG3."""
        for number in numbers:
            if not self.take_optional(session, number):
                self.not_permitted.append(number)

    def take_optional(self, session: SecureChannel, number: int) -> bool:
        """One group the reading can do without; False where an attempt before this one was refused."""
        if number in self.without:
            return False
        try:
            self.take(session, data_group(number))
        except BlockTooLargeError:
            raise
        except StatusError as error:
            raise ChokedError(number, error) from error
        return True

    def carry_offer(self, plain: Channel, session: SecureChannel, infos: SecurityInfos) -> bool:
        """Take the counter's public key and command to the chip, and the answer home.

        False where the counter has no offer or the chip refuses it, and the session goes on.
        """
        offer = self.offer(self.files[data_group(14).fid]) if self.offer is not None else None
        key = chip_key_of(infos, offer.oid, offer.key_id) if offer is not None else None
        if offer is None or key is None:
            return False
        try:
            proof = run_offer(session, plain, key, offer)
        except StatusError as error:
            raise ChokedError(Protocol.COUNTER_RUN, error) from error
        self.chip = proof or self.chip
        return proof is not None

    def _reader(self, session: SecureChannel) -> FileReader:
        """A reader with blocks that fit this session's cipher."""
        return FileReader(session, self._room(session))

    def _room(self, session: SecureChannel) -> int:
        """Most plain bytes of a block under this session's cipher."""
        return plain_room(self.answer_max, session.keys.suite.block)

    def take(self, session: SecureChannel, *files: ElementaryFile) -> None:
        """Read those of these files that are not home yet."""
        wanted = [file for file in files if file.fid not in self.files]
        if wanted:
            self.files.update(self._reader(session).read_many(wanted))

    def tell(self, step: str) -> None:
        """Tell the next step, and note how long the one before took."""
        now = self.monotonic()
        if self.running is not None:
            name, since = self.running
            self.timings_ms[name] = self.timings_ms.get(name, 0) + round((now - since) * 1000)
        self.running = (str(step), now) if step else None
        if step:
            self.on_step(step)


def _select_application(channel: Channel) -> None:
    """The ID application, before basic access."""
    _judge_selection(channel.transmit(SELECT_APPLICATION))


def _judge_selection(answer: Response) -> None:
    """Nothing, or what the answer to SELECT means."""
    if answer.sw in NO_SUCH_APPLICATION:
        raise NotAnIdCardError(f"status {answer.sw:04X} to SELECT of the ID application")
    if answer.sw != 0x9000:
        raise StatusError(answer.sw, "SELECT application")


def _offers_pace(card_access: bytes) -> bool:
    """Whether EF.CardAccess is there and names a way to PACE; a broken one counts as none."""
    try:
        return bool(card_access) and bool(parse_security_infos(card_access).pace)
    except MalformedFileError:
        return False


def _groups_present(ef_sod: bytes, ef_com: bytes) -> frozenset[int]:
    """The data groups that were signed; where the security object cannot be read, those EF.COM lists."""
    try:
        return frozenset(parse_sod(ef_sod).hashes)
    except MalformedFileError:
        pass
    try:
        return frozenset(parse_com(ef_com).data_groups)
    except MalformedFileError:
        return frozenset({1, 2})
