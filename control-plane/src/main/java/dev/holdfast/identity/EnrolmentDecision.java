package dev.holdfast.identity;

import dev.holdfast.ca.ApprovedRequest;
import dev.holdfast.core.Serial;
import java.time.Duration;

/// What [EnrolmentPolicy] says to a request.
sealed interface EnrolmentDecision {
    record Grant(ApprovedRequest request) implements EnrolmentDecision {}

    /// The same device asked for the same key before and has not used what it was granted: it gets that again,
    /// and nothing is done twice. This is how a crash or a lost answer heals.
    record Repeat(Serial serial) implements EnrolmentDecision {}

    record Hold(Duration retryAfter, String reason) implements EnrolmentDecision {}

    /// A person has to decide first.
    record HoldForPerson(HeldRequests.Cause cause, Duration retryAfter, String reason) implements EnrolmentDecision {}

    record Refuse(EnrolmentRefusal reason, String detail) implements EnrolmentDecision {}
}
