package dev.holdfast.telemetry;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import java.time.Instant;
import java.util.Map;

/// Something seen of a device, by itself, by us or by a gateway.
///
/// `receivedAt` is this server's clock; times that devices claim are kept beside it and never trusted for
/// order.
public sealed interface Observation {
    DeviceRef device();

    Instant receivedAt();

    /// How it is known.
    Provenance provenance();

    /// What is committed before it is acknowledged, and only then shown to consumers.
    sealed interface Kept extends Observation {}

    /// Numbers that a device reports of itself.
    ///
    /// @param measuredAt what the device says, clamped by the edge; the time of arrival where it says nothing
    /// @param values finite numbers only
    record Measurement(
            DeviceRef device, Instant receivedAt, Instant measuredAt, Map<String, Double> values, boolean imported)
            implements Observation {
        @Override
        public Provenance provenance() {
            return Provenance.CLAIMED;
        }
    }

    /// @param text bounded and with control characters escaped
    record LogLine(DeviceRef device, Instant receivedAt, String severity, String text) implements Kept {
        @Override
        public Provenance provenance() {
            return Provenance.CLAIMED;
        }
    }

    record ConfigurationReport(DeviceRef device, Instant receivedAt, Map<String, String> settings) implements Kept {
        @Override
        public Provenance provenance() {
            return Provenance.CLAIMED;
        }
    }

    record Event(DeviceRef device, Instant receivedAt, String name, Map<String, String> details) implements Kept {
        @Override
        public Provenance provenance() {
            return Provenance.CLAIMED;
        }
    }

    /// Traffic of a device as an observer summarised it.
    ///
    /// @param provenance OBSERVED from a registered gateway over mutual TLS, else CLAIMED
    /// @param observer the gateway, or the device itself
    /// @param destination an IP address
    record Flow(
            DeviceRef device,
            Instant receivedAt,
            Provenance provenance,
            DeviceRef observer,
            Instant start,
            Instant end,
            String destination,
            int port,
            String protocol,
            long octets,
            long packets)
            implements Observation {}

    /// A session opened, used or ended; what clone detection lives on.
    ///
    /// @param sessionId in the order of opening ([dev.holdfast.core.SessionOrder])
    record SessionActivity(
            DeviceRef device,
            Instant receivedAt,
            long sessionId,
            Serial certificate,
            String protocol,
            String remoteAddress,
            Kind kind)
            implements Observation {
        public enum Kind {
            OPENED,
            USED,
            CLOSED
        }

        @Override
        public Provenance provenance() {
            return Provenance.PROVEN;
        }
    }

    /// An authenticated session broke a rule of its protocol.
    record Violation(DeviceRef device, Instant receivedAt, Rule rule, String detail) implements Observation {
        public enum Rule {
            FORBIDDEN_TOPIC,
            FOREIGN_ACTION,
            FOREIGN_IDENTITY,
            MALFORMED_MESSAGE,
            RATE_EXCEEDED,
            REFUSED_IN_QUARANTINE
        }

        @Override
        public Provenance provenance() {
            return Provenance.PROVEN;
        }
    }

    /// A certificate was refused at the door. The handshake proved possession of the key only where
    /// `keyProven`.
    record RefusedCertificate(
            DeviceRef device,
            Instant receivedAt,
            Serial certificate,
            String refusal,
            boolean keyProven,
            String remoteAddress)
            implements Observation {
        @Override
        public Provenance provenance() {
            return keyProven ? Provenance.PROVEN : Provenance.CLAIMED;
        }
    }

    /// What a look at all certificates found about this device's, not something it did.
    ///
    /// @param expected and `seen`: in words, safe to show
    record CertificateConcern(
            DeviceRef device, Instant receivedAt, Matter matter, Provenance provenance, String expected, String seen)
            implements Observation {
        public enum Matter {
            /// A second device asked for a certificate for the key of this one, or this one for another's.
            KEY_SHARED,
            /// Its key is of a kind that its profile would not take today.
            KEY_WEAK,
            /// It ends soon and no successor was asked for.
            ENDING
        }
    }

    /// Somebody failed to authenticate as this device; whoever it was, it never isolates the device named.
    record AuthenticationFailure(DeviceRef device, Instant receivedAt, String cause, String remoteAddress)
            implements Observation {
        @Override
        public Provenance provenance() {
            return Provenance.CLAIMED;
        }
    }
}
