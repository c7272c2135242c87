package dev.holdfast.sight;

import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.sight.Reason.Kind;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Why a device does not come in, for the person who asks at three in the morning: the one sentence first, then
/// each reason with what mends it. Pure.
///
/// @param reasons the record's first (they stand whatever the device tries), then what was tried, newest first
public record Diagnosis(Verdict verdict, String sentence, List<Reason> reasons) {
    private static final int MOST_REASONS = 20;

    public enum Verdict {
        /// It is connected, and nothing on record speaks against it.
        CONNECTED,
        /// Nothing on record speaks against it, and nothing was refused: it has not tried.
        NOT_TRIED,
        /// It tried and was refused, though its record is in order.
        REFUSED,
        /// Its record keeps it out.
        BARRED
    }

    public Diagnosis {
        reasons = List.copyOf(reasons);
    }

    public static Diagnosis of(Circumstances c) {
        List<Reason> onRecord = new ArrayList<>();
        OnRecord.node(c).ifPresent(onRecord::add);
        OnRecord.device(c).ifPresent(onRecord::add);
        OnRecord.certificates(c).ifPresent(onRecord::add);
        OnRecord.waiting(c).ifPresent(onRecord::add);
        List<Reason> tried = tried(c);
        List<Reason> all = new ArrayList<>(onRecord);
        all.addAll(tried);
        Verdict verdict = verdict(c, onRecord, tried);
        return new Diagnosis(verdict, sentence(c, verdict, onRecord, tried), all);
    }

    private static Verdict verdict(Circumstances c, List<Reason> onRecord, List<Reason> tried) {
        if (onRecord.stream().anyMatch(r -> r.kind() == Kind.BARS)) {
            return Verdict.BARRED;
        }
        if (c.connected()) {
            return Verdict.CONNECTED;
        }
        return tried.stream().anyMatch(Reason::sure) ? Verdict.REFUSED : Verdict.NOT_TRIED;
    }

    private static String sentence(Circumstances c, Verdict verdict, List<Reason> onRecord, List<Reason> tried) {
        return switch (verdict) {
            case BARRED ->
                c.device() + " can't come in: "
                        + lower(onRecord.stream()
                                .filter(r -> r.kind() == Kind.BARS)
                                .findFirst()
                                .orElseThrow()
                                .sentence());
            case CONNECTED ->
                c.device() + " is connected"
                        + (tried.isEmpty()
                                ? ", and nothing was refused lately."
                                : "; what was refused lately is below.");
            case REFUSED ->
                c.device() + " was refused: "
                        + lower(tried.stream()
                                .filter(Reason::sure)
                                .findFirst()
                                .orElseThrow()
                                .sentence());
            case NOT_TRIED ->
                "Nothing on record keeps " + c.device() + " out, and no attempt of it was refused within a week"
                        + c.lastContact().map(at -> "; it was last heard " + at).orElse("; it was never heard")
                        + ". It does not try, or does not reach this server: look at its power, its network, and the"
                        + " address it connects to.";
        };
    }

    private static String lower(String sentence) {
        return Character.toLowerCase(sentence.charAt(0)) + sentence.substring(1);
    }

    /// Attempts of the same stage and cause are one reason; the newest tells its details.
    private static List<Reason> tried(Circumstances c) {
        Map<String, List<Attempt>> alike = new LinkedHashMap<>();
        for (Attempt attempt : c.attempts()) {
            alike.computeIfAbsent(
                            attempt.stage() + " " + attempt.cause() + " " + attempt.sure(), _ -> new ArrayList<>())
                    .add(attempt);
        }
        return alike.values().stream()
                .limit(MOST_REASONS)
                .map(attempts -> Explanation.of(attempts.getFirst(), c).reason(attempts))
                .toList();
    }

    /// The newest of the device's certificates that still counts.
    static Optional<IssuedCertificate> present(Circumstances c) {
        return c.certificates().stream()
                .filter(one -> one.state() == CertificateState.CURRENT
                        || one.state() == CertificateState.PENDING
                        || one.overlaps(c.now()))
                .findFirst();
    }

    static boolean ended(IssuedCertificate certificate, Instant now) {
        return now.isAfter(certificate.notAfter());
    }
}
