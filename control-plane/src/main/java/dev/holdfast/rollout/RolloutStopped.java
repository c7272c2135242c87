package dev.holdfast.rollout;

import dev.holdfast.core.Environment;
import java.time.Instant;
import java.util.Optional;

/// The gate has stopped a rollout.
///
/// @param wayBack the rollout that brings exposed devices back, where there is one
/// @param exposed how many devices hold the image
public record RolloutStopped(
        long rollout,
        Environment environment,
        String model,
        String version,
        String reason,
        int exposed,
        int withdrawn,
        Optional<Long> wayBack,
        Instant at) {}
