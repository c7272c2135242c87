package dev.holdfast.sight;

import java.time.Instant;

/// One try to come in that failed.
///
/// @param cause a fact such as `CERTIFICATE_SUPERSEDED`, of whichever room refused it
/// @param detail in a sentence, safe to show
/// @param remoteAddress as our socket saw it
/// @param sure whether it was this device: by its certificate's name or serial, or by its credential. False
///     where only the address is that of the device
/// @param times how often; the rest is of the last time
public record Attempt(
        Instant at, Stage stage, String cause, String detail, String remoteAddress, boolean sure, long times) {

    /// How far it came.
    public enum Stage {
        HANDSHAKE,
        ADMISSION,
        ENROLMENT
    }
}
