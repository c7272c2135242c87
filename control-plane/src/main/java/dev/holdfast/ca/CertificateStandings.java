package dev.holdfast.ca;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.journal.Recorded;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What became of every certificate, in memory on every node, kept current by the journal's tail: what a
/// handshake and
/// an OCSP answer are decided by, without the database.
///
/// A certificate that is not here was not issued by us, or has ended long ago.
// States and reasons are packed by their order, in memory alone.
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"})
public final class CertificateStandings {
    private static final int SHARES = 64;
    /// 128 bits, which is what we issue; longer ones are not ours.
    private static final int LONGEST = 32;

    private static final int STATE_BITS = 3;
    private static final int HELD = 1 << STATE_BITS;
    private static final int REASON_SHIFT = STATE_BITS + 1;
    private static final int REASON_BITS = 4;
    private static final int AUTHORITY_SHIFT = REASON_SHIFT + REASON_BITS;
    private static final int NAME_BITS = 12;
    private static final int ENVIRONMENT_SHIFT = AUTHORITY_SHIFT + NAME_BITS;
    private static final List<RevocationReason> REASONS = List.of(RevocationReason.values());
    /// At the index that is packed.
    private static final List<CertificateState> STATES = List.of(CertificateState.values());

    private final StandingTable[] shares = new StandingTable[SHARES];
    private final Names authorities = new Names();
    private final Names environments = new Names();

    CertificateStandings() {
        for (int i = 0; i < SHARES; i++) {
            shares[i] = new StandingTable();
        }
    }

    /// Few and for ever: each has a number.
    private static final class Names {
        private volatile List<String> byNumber = List.of();
        private final Map<String, Integer> numbers = new HashMap<>();

        synchronized int number(String name) {
            Integer known = numbers.get(name);
            if (known != null) {
                return known;
            }
            if (byNumber.size() == 1 << NAME_BITS) {
                throw new IllegalStateException("more than " + (1 << NAME_BITS) + " authorities or environments");
            }
            List<String> more = new ArrayList<>(byNumber);
            more.add(name);
            byNumber = List.copyOf(more);
            numbers.put(name, more.size() - 1);
            return more.size() - 1;
        }

        String name(int number) {
            return byNumber.get(number);
        }
    }

    public Optional<CertificateStanding> find(Serial serial) {
        return find(serial, null);
    }

    /// The standing of a certificate that must be this device's, cheap enough for every message.
    ///
    /// @return empty also when it is another's
    public Optional<CertificateStanding> find(DeviceRef device, Serial serial) {
        return find(serial, device)
                .filter(standing -> standing.device().filter(device::equals).isPresent());
    }

    private Optional<CertificateStanding> find(Serial serial, @Nullable DeviceRef expected) {
        String hex = serial.hex();
        if (!canBeOurs(hex)) {
            return Optional.empty();
        }
        long low = low(hex);
        StandingTable.Row row = share(low).find(high(hex), low, expected);
        return row == null ? Optional.empty() : Optional.of(standing(row, expected));
    }

    public int size() {
        int all = 0;
        for (StandingTable share : shares) {
            all += share.size();
        }
        return all;
    }

    void load(Serial serial, CertificateStanding read) {
        change(
                serial,
                before -> before == null || state(before.packed()).compareTo(read.state()) <= 0 ? row(read) : null);
    }

    /// Follows the journal; entries may come again and change nothing then.
    void follow(Recorded entry) {
        if (!entry.content().contains("\"kind\":\"certificate.")) {
            return;
        }
        JsonNode json = entry.json();
        JsonNode body = json.path("body");
        switch (json.path("kind").asText()) {
            case "certificate.issued" -> {
                CertificateStanding issued = new CertificateStanding(
                        body.path("authority").asText(),
                        device(json),
                        CertificateState.of(body.path("state").asText()),
                        false,
                        Optional.empty(),
                        Optional.empty());
                change(new Serial(body.path("serial").asText()), before -> before == null ? row(issued) : null);
            }
            case "certificate.activated" -> {
                // The old ones first: whoever sees the new one counting sees that they don't.
                body.path("superseded")
                        .forEach(old -> advance(
                                old.asText(), CertificateState.SUPERSEDED, Optional.empty(), ends(body, entry)));
                advance(body.path("serial").asText(), CertificateState.CURRENT, Optional.empty(), entry.at());
            }
            case "certificate.rolled-back" -> {
                body.path("serials")
                        .forEach(serial -> advance(
                                serial.asText(),
                                CertificateState.REVOKED,
                                RevocationReason.parse(body.path("reason").asText()),
                                entry.at()));
                restore(body.path("restored").asText());
            }
            case "certificate.overlap-ended" ->
                body.path("serials").forEach(serial -> endOverlap(serial.asText(), entry.at()));
            case "certificate.revoked" ->
                body.path("serials")
                        .forEach(serial -> advance(
                                serial.asText(),
                                CertificateState.REVOKED,
                                RevocationReason.parse(body.path("reason").asText()),
                                entry.at()));
            case "certificate.held" -> hold(body, true, entry.at());
            case "certificate.released" -> hold(body, false, entry.at());
            default -> {}
        }
    }

    private void advance(String serial, CertificateState to, Optional<RevocationReason> reason, Instant at) {
        change(new Serial(serial), row -> {
            if (row == null || state(row.packed()).compareTo(to) >= 0) {
                return null;
            }
            boolean ends = to == CertificateState.SUPERSEDED || to == CertificateState.REVOKED;
            int named = row.packed() & (-(1 << AUTHORITY_SHIFT) | HELD);
            return new StandingTable.Row(
                    named | STATES.indexOf(to) | reason(reason) << REASON_SHIFT,
                    ends ? seconds(at) : row.endedAt(),
                    row.name());
        });
    }

    /// When what is superseded stops counting; entries from before there were overlaps don't say.
    private static Instant ends(JsonNode body, Recorded entry) {
        String at = body.path("supersededAt").asText();
        return at.isEmpty() ? entry.at() : Instant.parse(at);
    }

    private void restore(String serial) {
        change(
                new Serial(serial),
                row -> row == null || state(row.packed()) != CertificateState.SUPERSEDED
                        ? null
                        : new StandingTable.Row(
                                row.packed() & -(1 << AUTHORITY_SHIFT)
                                        | row.packed() & HELD
                                        | CertificateState.CURRENT.ordinal(),
                                0,
                                row.name()));
    }

    private void endOverlap(String serial, Instant at) {
        change(
                new Serial(serial),
                row -> row == null || state(row.packed()) != CertificateState.SUPERSEDED
                        ? null
                        : new StandingTable.Row(
                                row.packed(),
                                Integer.compareUnsigned(row.endedAt(), seconds(at)) < 0 ? row.endedAt() : seconds(at),
                                row.name()));
    }

    private void hold(JsonNode body, boolean held, Instant at) {
        body.path("serials")
                .forEach(serial -> change(new Serial(serial.asText()), row -> {
                    if (row == null || !state(row.packed()).counts()) {
                        return null;
                    }
                    int packed = held ? row.packed() | HELD : row.packed() & ~HELD;
                    return new StandingTable.Row(packed, held ? seconds(at) : 0, row.name());
                }));
    }

    private void change(Serial serial, StandingTable.Change change) {
        String hex = serial.hex();
        if (!canBeOurs(hex)) {
            return; // unknown, and so refused
        }
        long low = low(hex);
        share(low).change(high(hex), low, change);
    }

    /// Zero marks a free slot, and is no serial of ours.
    private static boolean canBeOurs(String hex) {
        return hex.length() <= LONGEST && !hex.equals("0");
    }

    private StandingTable share(long low) {
        return shares[(int) (low & SHARES - 1)];
    }

    private static long low(String hex) {
        return Long.parseUnsignedLong(hex, Math.max(0, hex.length() - 16), hex.length(), 16);
    }

    private static long high(String hex) {
        return hex.length() <= 16 ? 0 : Long.parseUnsignedLong(hex, 0, hex.length() - 16, 16);
    }

    // ------------------------------------------------------------------ rows

    private StandingTable.Row row(CertificateStanding standing) {
        int environment = standing.device()
                .map(device -> environments.number(device.environment().value()))
                .orElse(0);
        int packed = STATES.indexOf(standing.state())
                | (standing.held() ? HELD : 0)
                | reason(standing.reason()) << REASON_SHIFT
                | authorities.number(standing.authority()) << AUTHORITY_SHIFT
                | environment << ENVIRONMENT_SHIFT;
        return new StandingTable.Row(
                packed,
                standing.endedAt().map(CertificateStandings::seconds).orElse(0),
                standing.device().map(device -> device.id().value()).orElse(null));
    }

    private CertificateStanding standing(StandingTable.Row row, @Nullable DeviceRef expected) {
        int reason = row.packed() >>> REASON_SHIFT & (1 << REASON_BITS) - 1;
        return new CertificateStanding(
                authorities.name(row.packed() >>> AUTHORITY_SHIFT & (1 << NAME_BITS) - 1),
                Optional.ofNullable(device(row, expected)),
                state(row.packed()),
                (row.packed() & HELD) != 0,
                row.endedAt() == 0
                        ? Optional.empty()
                        : Optional.of(Instant.ofEpochSecond(Integer.toUnsignedLong(row.endedAt()))),
                reason == 0 ? Optional.empty() : Optional.of(REASONS.get(reason - 1)));
    }

    private @Nullable DeviceRef device(StandingTable.Row row, @Nullable DeviceRef expected) {
        String name = row.name();
        if (name == null) {
            return null;
        }
        String environment = environments.name(row.packed() >>> ENVIRONMENT_SHIFT);
        return expected != null
                        && expected.id().value().equals(name)
                        && expected.environment().value().equals(environment)
                ? expected
                : new DeviceRef(new Environment(environment), new DeviceId(name));
    }

    private static CertificateState state(int packed) {
        return STATES.get(packed & (1 << STATE_BITS) - 1);
    }

    private static int reason(Optional<RevocationReason> reason) {
        return reason.map(r -> REASONS.indexOf(r) + 1).orElse(0);
    }

    /// Until 2106.
    private static int seconds(Instant at) {
        return (int) at.getEpochSecond();
    }

    private static Optional<DeviceRef> device(JsonNode json) {
        String subject = json.path("subject").asText();
        return subject.startsWith("device:")
                ? Optional.of(new DeviceRef(
                        new Environment(json.path("environment").asText()),
                        new DeviceId(subject.substring("device:".length()))))
                : Optional.empty();
    }
}
