package dev.holdfast.identity;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.inventory.Lifecycle;

/// Whether the holder of an operational certificate may come in, decided in memory.
public sealed interface Admission {
    /// @param state ENROLLED, ACTIVE or QUARANTINED; a quarantined device reaches only what heals it
    record Admitted(DeviceRef device, Serial certificate, Lifecycle state) implements Admission {}

    record Refused(Refusal reason, String detail) implements Admission {}

    enum Refusal {
        NO_CERTIFICATE,
        NOT_A_DEVICE_CERTIFICATE,
        CERTIFICATE_EXPIRED,
        CERTIFICATE_NOT_YET_VALID,
        CERTIFICATE_UNKNOWN,
        CERTIFICATE_REVOKED,
        CERTIFICATE_SUPERSEDED,
        /// Its authority is being replaced: it may ask for its successor, or not even that.
        ISSUER_REPLACED,
        DEVICE_UNKNOWN,
        DEVICE_SUSPENDED,
        DEVICE_RETIRED,
        SERVER_CANNOT_CHECK
    }
}
