package dev.holdfast.identity;

import dev.holdfast.core.DeviceRef;
import java.security.cert.X509Certificate;
import java.time.Duration;

/// What a request for a certificate comes to; each protocol renders it in its own words.
public sealed interface EnrolmentOutcome {
    record Issued(DeviceRef device, X509Certificate certificate) implements EnrolmentOutcome {}

    record Held(Duration retryAfter, String reason) implements EnrolmentOutcome {}

    record Refused(EnrolmentRefusal reason, String detail) implements EnrolmentOutcome {}
}
