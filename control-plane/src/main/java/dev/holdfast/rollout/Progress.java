package dev.holdfast.rollout;

import java.time.Instant;

/// How far the current batch of a rollout is.
///
/// @param batch its index in the plan
/// @param size devices in it; every number below counts devices of this batch
/// @param pending not offered yet
/// @param undecided offered, downloading, installing or soaking
/// @param skipped had the version already, or were withdrawn
public record Progress(
        int batch, int size, int pending, int undecided, int healthy, int failed, int skipped, Instant batchSince) {

    public int decided() {
        return healthy + failed;
    }
}
