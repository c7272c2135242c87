package dev.holdfast.ca;

import java.time.Duration;

/// What the certificates of one kind are like. Requests never decide any of this.
///
/// @param name also the EST label
/// @param lifetime from issuing to expiry, shortened where the authority itself ends sooner
/// @param usage what the key may be used for in TLS
/// @param renewableAfterExpiry how long after expiry the certificate may still ask for its successor
public record CertificateProfile(String name, Duration lifetime, Usage usage, Duration renewableAfterExpiry) {
    public enum Usage {
        TLS_CLIENT,
        TLS_SERVER
    }

    /// Clocks of devices are often a little behind: certificates begin this long before they are made.
    static final Duration BACKDATED = Duration.ofMinutes(5);

    public CertificateProfile {
        if (!name.matches("[a-z][a-z0-9-]{0,31}")) {
            throw new IllegalArgumentException("not a profile name: " + name);
        }
        if (lifetime.compareTo(Duration.ofMinutes(1)) < 0 || lifetime.compareTo(Duration.ofDays(3660)) > 0) {
            throw new IllegalArgumentException("profile " + name + ": a lifetime is 1 minute to 10 years");
        }
        if (renewableAfterExpiry.isNegative()) {
            throw new IllegalArgumentException("profile " + name + ": renewableAfterExpiry is negative");
        }
    }
}
