package dev.holdfast.api;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.ObservationConsumer;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/// The last refusals at this node's doors after the handshake, newest first: who was named, and why. Bounded.
public final class RefusalLog implements ObservationConsumer {
    private static final int MOST = 2_000;
    private final Deque<Refusal> refusals = new ArrayDeque<>();

    /// @param device as claimed
    public record Refusal(Instant at, DeviceRef device, String listener, String cause, String detail, String address) {}

    @Override
    public void observed(int shard, Observation observation) {
        switch (observation) {
            case Observation.RefusedCertificate r ->
                add(new Refusal(
                        r.receivedAt(),
                        r.device(),
                        "device",
                        r.refusal(),
                        "the certificate with serial number " + r.certificate() + " was refused",
                        r.remoteAddress()));
            case Observation.AuthenticationFailure f ->
                add(new Refusal(
                        f.receivedAt(), f.device(), "est", "AUTHENTICATION_FAILED", f.cause(), f.remoteAddress()));
            case Observation.Measurement _,
                    Observation.LogLine _,
                    Observation.ConfigurationReport _,
                    Observation.Event _,
                    Observation.Flow _,
                    Observation.SessionActivity _,
                    Observation.CertificateConcern _,
                    Observation.Violation _ -> {}
        }
    }

    /// A certificate that was not granted to somebody whose credential was good.
    public void enrolmentRefused(Instant at, DeviceRef named, String reason, String detail, String address) {
        add(new Refusal(at, named, "est", reason, detail, address));
    }

    private synchronized void add(Refusal refusal) {
        if (refusals.size() == MOST) {
            refusals.removeLast();
        }
        refusals.addFirst(refusal);
    }

    public synchronized List<Refusal> all() {
        return List.copyOf(refusals);
    }
}
