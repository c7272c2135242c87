package dev.holdfast.telemetry;

import java.time.Instant;

/// What follows the stream of observations: one call after another for each shard, on the shard's own thread.
///
/// Every observation of a device comes to the same shard, in the order in which it was accepted, so state kept
/// per
/// shard needs no lock. A consumer that is slow fills its shard's queue, and then the sockets of that shard's
/// devices
/// are no longer read; nothing is dropped.
public interface ObservationConsumer {
    /// @param shard from 0 to [Telemetry#shards] - 1
    void observed(int shard, Observation observation);

    /// About once a second, also when nothing is observed; for silence, time-outs, checkpoints.
    default void tick(int shard, Instant now) {}

    /// Everything that had been accepted before was delivered; called when the server stops.
    default void stopping(int shard) {}
}
