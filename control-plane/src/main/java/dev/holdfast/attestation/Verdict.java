package dev.holdfast.attestation;

import dev.holdfast.core.DeviceRef;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// What was found when a device's evidence was appraised.
///
/// @param passed for an enrolment: and the certificate was granted
/// @param faults the nearest cause first: `pcr-regression: the values are those of ...`
/// @param because why it did not pass, where that is not a fault of the evidence
/// @param endorsement fingerprint of the endorsement key
/// @param reference whose values the registers have
/// @param expected name of the reference that they should have had, where they have nobody's
/// @param differences in which registers they differ from that
/// @param eventLog what became of the event log that was sent along
/// @param registers that were quoted: `sha256:7` to its digest; only when the quote is believed
public record Verdict(
        DeviceRef device,
        Instant at,
        Occasion occasion,
        boolean passed,
        List<String> faults,
        Optional<String> because,
        boolean software,
        String endorsement,
        Optional<String> reference,
        Optional<String> expected,
        List<Difference> differences,
        Optional<String> eventLog,
        Map<String, String> registers,
        Optional<Life> life) {
    public Verdict {
        faults = List.copyOf(faults);
        differences = List.copyOf(differences);
        registers = Map.copyOf(registers);
    }

    public enum Occasion {
        ENROLMENT,
        REATTESTATION;

        public String text() {
            return this == ENROLMENT ? "enrolment" : "re-attestation";
        }

        static Occasion of(String text) {
            return text.equals("enrolment") ? ENROLMENT : REATTESTATION;
        }
    }

    /// A register that does not hold what it should.
    ///
    /// @param register `sha256:7`
    /// @param expected and `seen`: digests, hexadecimal
    /// @param events that were measured otherwise; none where no event log that replays says so
    public record Difference(String register, String expected, String seen, List<Change> events) {
        public Difference {
            events = List.copyOf(events);
        }

        /// `sha256:7: expected 3a..., seen 9f...: EV_EFI_VARIABLE_DRIVER_CONFIG SecureBoot (...) instead of
        /// ...`
        public String text() {
            return register + ": expected " + expected + ", seen " + seen
                    + (events.isEmpty()
                            ? ""
                            : ": " + events.stream().map(Change::text).collect(Collectors.joining("; ")));
        }
    }

    /// An event that was expected and did not come, or came and was not expected, or came with another digest.
    /// Types and digests are proven by the replay, the words are the firmware's.
    public record Change(Optional<String> expected, Optional<String> seen) {
        public String text() {
            return seen.map(s -> s + expected.map(e -> " instead of " + e).orElse(" was not expected"))
                    .orElse(expected.orElse("") + " is missing");
        }
    }

    /// What the TPM says of its life; see [dev.holdfast.protocol.tpm.TpmStatement].
    ///
    /// @param firmware hexadecimal
    public record Life(long clock, long resets, long restarts, String firmware) {
        static Life of(TpmLife life) {
            return new Life(
                    life.clock(),
                    life.resets(),
                    life.restarts(),
                    Long.toHexString(life.firmware()).toLowerCase(Locale.ROOT));
        }
    }

    /// Whether it says anything that the other does not.
    boolean isNewsAfter(Verdict before) {
        return passed != before.passed
                || !faults.equals(before.faults)
                || !because.equals(before.because)
                || !reference.equals(before.reference)
                || !endorsement.equals(before.endorsement)
                || !registers.equals(before.registers)
                || occasion != before.occasion;
    }
}
