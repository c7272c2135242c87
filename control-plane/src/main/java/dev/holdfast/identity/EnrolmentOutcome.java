package dev.holdfast.identity;

import dev.holdfast.core.DeviceRef;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;

/// What a request for a certificate comes to; each protocol renders it in its own words.
public sealed interface EnrolmentOutcome {
    /// @param renewAt when the device should ask for the next one
    record Issued(DeviceRef device, X509Certificate certificate, Instant renewAt) implements EnrolmentOutcome {}

    record Held(Duration retryAfter, String reason) implements EnrolmentOutcome {}

    record Refused(EnrolmentRefusal reason, String detail) implements EnrolmentOutcome {}
}
