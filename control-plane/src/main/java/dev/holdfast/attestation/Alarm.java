package dev.holdfast.attestation;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.TpmFault;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// That a device does not show what it should, for those who find and respond.
///
/// @param since when it was first so
/// @param expected and `seen`: in words, safe to show
public record Alarm(
        DeviceRef device, Cause cause, Weight weight, Instant since, Instant at, String expected, String seen) {
    private static final int IN_A_ROW = 3;
    private static final int EVENTS_TOLD = 3;
    private static final int MOST_TEXT = 1_000;
    private static final Duration ROW = Duration.ofHours(1);

    public enum Cause {
        /// Its attestation key has signed a state that nobody approved, or one from the past.
        STATE_NOT_APPROVED,
        /// In its own session it has sent what another key signed.
        KEY_WRONG,
        /// What it has sent is no fresh quote of what it says.
        NOT_BELIEVED,
        /// It has not attested for longer than its model allows.
        OVERDUE
    }

    /// How sure it is, and how bad.
    public enum Weight {
        /// Cryptography shows it, and it is no accident.
        GRAVE,
        /// Cryptography shows it, and a lost answer or a slow device would look the same.
        PROVEN,
        /// Nothing was heard, which shows nothing: whoever can drop packets can bring it about.
        SILENT
    }

    private static final Set<TpmFault> STATE = Set.of(
            TpmFault.PCR_VALUES_NOT_APPROVED,
            TpmFault.PCR_REGRESSION,
            TpmFault.COUNTERS_WENT_BACK,
            TpmFault.TPM_FIRMWARE_WENT_BACK);

    /// What follows from the quote of a device in its own authenticated session. Pure.
    ///
    /// 1. A state that is signed and not approved is grave at once, and so is a quote that another key signed.
    /// 2. A stale or replayed challenge and what can't be read happen to slow and simple devices too: grave
    ///    when it is the third in a row within the hour.
    /// 3. A device that has no TPM here has nothing to show.
    ///
    /// @param faults of the verdict
    /// @param before the device's verdicts before this one, newest first
    static Optional<Alarm> of(Verdict verdict, List<TpmFault> faults, List<Verdict> before) {
        if (verdict.passed() || faults.isEmpty() || faults.contains(TpmFault.ATTESTATION_KEY_UNKNOWN)) {
            return Optional.empty();
        }
        Cause cause = faults.stream().anyMatch(STATE::contains)
                ? Cause.STATE_NOT_APPROVED
                : faults.contains(TpmFault.SIGNATURE_WRONG) ? Cause.KEY_WRONG : Cause.NOT_BELIEVED;
        List<Verdict> row = before.stream()
                .takeWhile(v -> !v.passed()
                        && v.occasion() == Verdict.Occasion.REATTESTATION
                        && v.at().isAfter(verdict.at().minus(ROW)))
                .toList();
        boolean grave = cause != Cause.NOT_BELIEVED || row.size() + 1 >= IN_A_ROW;
        return Optional.of(new Alarm(
                verdict.device(),
                cause,
                grave ? Weight.GRAVE : Weight.PROVEN,
                row.stream().map(Verdict::at).min(Comparator.naturalOrder()).orElse(verdict.at()),
                verdict.at(),
                expected(cause, verdict),
                seen(verdict)));
    }

    private static String seen(Verdict verdict) {
        String all = String.join("; ", verdict.faults())
                + verdict.differences().stream()
                        .flatMap(d -> d.events().stream().map(e -> "; " + d.register() + ": " + e.text()))
                        .limit(EVENTS_TOLD)
                        .collect(Collectors.joining());
        return all.length() > MOST_TEXT ? all.substring(0, MOST_TEXT) + "..." : all;
    }

    /// Whether it says more than what was told when the verdict before it was stored.
    static boolean isFirstOfItsKind(Alarm alarm, List<Verdict> before) {
        return alarm.cause() == Cause.NOT_BELIEVED
                && alarm.weight() == Weight.GRAVE
                && before.stream().takeWhile(v -> !v.passed()).count() == IN_A_ROW - 1;
    }

    private static String expected(Cause cause, Verdict verdict) {
        return switch (cause) {
            case STATE_NOT_APPROVED ->
                verdict.expected()
                        .map(name -> "the registers of '" + name + "'")
                        .orElse("registers and counters that are approved");
            case KEY_WRONG -> "a quote signed by the device's attestation key";
            case NOT_BELIEVED -> "a fresh quote over the nonce that was given";
            case OVERDUE -> "an attestation in time";
        };
    }

    static Alarm overdue(OverdueStore.Overdue late, Instant now) {
        return new Alarm(
                late.device(),
                Cause.OVERDUE,
                Weight.SILENT,
                late.last().map(at -> at.plus(late.every())).orElse(now),
                now,
                "an attestation within " + late.every(),
                late.last().map(at -> "the last good one was at " + at).orElse("it has never attested"));
    }
}
