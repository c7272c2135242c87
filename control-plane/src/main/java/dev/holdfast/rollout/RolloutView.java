package dev.holdfast.rollout;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// A rollout as people see it.
///
/// @param kind `update` or `way_back`
/// @param parent the rollout whose devices this one brings back
/// @param exposed devices that hold the whole image, or did
/// @param bytesAfterStop served after the stop was complete: 0
/// @param stop when it was stopped, and whether the stop is complete on every node
public record RolloutView(
        long id,
        Plan plan,
        String kind,
        Optional<Long> parent,
        Optional<Long> wayBack,
        RolloutState state,
        String stateReason,
        Instant stateSince,
        boolean frozen,
        long epoch,
        int batch,
        Instant batchSince,
        int devices,
        int exposed,
        List<BatchView> batches,
        Optional<Gate.Reading> gate,
        Optional<String> waitingFor,
        Optional<Stop> stop,
        long bytesServed,
        long bytesAfterStop,
        Optional<Instant> lastByteAt,
        Instant createdAt) {

    /// @param undecided offered, downloading, installing or soaking
    /// @param withdrawn taken back before they were exposed
    public record BatchView(
            String name,
            int size,
            int pending,
            int undecided,
            int healthy,
            int failed,
            int withdrawn,
            int recalled,
            int skipped,
            int exposed) {}

    /// @param completeAt when every node had confirmed it or its lease had run out
    public record Stop(Instant at, Optional<Instant> completeAt) {}
}
