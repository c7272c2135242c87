package dev.holdfast.rollover;

import java.time.Instant;
import java.util.List;

/// What a ceremony's `record.json` says.
///
/// @param kind `root`, `sign`, `cross`, `revoke` or `restore`
/// @param protocolSha256 of the protocol that everybody signed
public record CeremonyRecord(
        String kind,
        Instant at,
        List<String> people,
        String rootSubject,
        String rootSha256,
        int threshold,
        int shares,
        List<String> signedSha256,
        String protocolSha256) {
    public CeremonyRecord {
        people = List.copyOf(people);
        signedSha256 = List.copyOf(signedSha256);
    }
}
