package dev.holdfast.sight;

import dev.holdfast.protocol.x509.KeyKind;
import java.time.Instant;
import java.util.List;

/// Which kinds of keys the certificates have that count now, and which of them should not be.
///
/// @param shared keys that a second device asked a certificate for, newest first
public record KeyCensus(Instant at, List<Group> groups, List<Shared> shared) {

    /// Certificates of one profile and kind of key.
    ///
    /// @param accepted whether the profile would take this kind today
    /// @param quantumSafe whether a quantum computer does not forge its signatures
    public record Group(String profile, KeyKind kind, long certificates, boolean accepted, boolean quantumSafe) {}

    /// @param seen as the finding says it
    public record Shared(String device, Instant at, String seen) {}

    public KeyCensus {
        groups = List.copyOf(groups);
        shared = List.copyOf(shared);
    }

    public long certificates() {
        return groups.stream().mapToLong(Group::certificates).sum();
    }

    /// Certificates whose key their profile would not take today.
    public long weak() {
        return groups.stream()
                .filter(g -> !g.accepted())
                .mapToLong(Group::certificates)
                .sum();
    }
}
