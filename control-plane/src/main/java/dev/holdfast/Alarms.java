package dev.holdfast;

import dev.holdfast.attestation.Alarm;
import dev.holdfast.detection.Finding;
import dev.holdfast.detection.Finding.Cause;
import dev.holdfast.detection.Finding.Severity;
import dev.holdfast.telemetry.Provenance;

/// What `attestation` is alarmed by, as what `detection` finds: the two rooms do not know each other.
final class Alarms {
    private Alarms() {}

    static Finding finding(Alarm alarm) {
        return new Finding(
                alarm.device(),
                cause(alarm.cause()),
                severity(alarm.weight()),
                provenance(alarm.weight()),
                alarm.weight() == Alarm.Weight.GRAVE ? 1 : 0.5,
                alarm.since(),
                alarm.at(),
                alarm.expected(),
                alarm.seen());
    }

    private static Cause cause(Alarm.Cause cause) {
        return switch (cause) {
            case STATE_NOT_APPROVED -> Cause.ATTESTED_STATE_NOT_APPROVED;
            case KEY_WRONG -> Cause.ATTESTATION_KEY_WRONG;
            case NOT_BELIEVED -> Cause.ATTESTATION_NOT_BELIEVED;
            case OVERDUE -> Cause.ATTESTATION_OVERDUE;
        };
    }

    private static Severity severity(Alarm.Weight weight) {
        return switch (weight) {
            case GRAVE -> Severity.HIGH;
            case PROVEN, SILENT -> Severity.MEDIUM;
        };
    }

    /// That nothing is heard proves nothing.
    private static Provenance provenance(Alarm.Weight weight) {
        return switch (weight) {
            case GRAVE, PROVEN -> Provenance.PROVEN;
            case SILENT -> Provenance.CLAIMED;
        };
    }
}
