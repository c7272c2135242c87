package dev.holdfast.journal;

import dev.holdfast.core.Digest;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/// A signed statement that the chain had this hash at this number: what leaves the machine, so that a cut-off or
/// rewritten tail can be seen.
///
/// @param branch the branch of the exported stream; a restore begins a new one
/// @param signature Ed25519 over [#signedBytes], in base64
public record Checkpoint(String branch, long number, Digest chainHash, Instant at, String signature) {
    /// Five lines: a label, the branch, the number, the chain hash, the time.
    byte[] signedBytes() {
        return signedBytes(branch, number, chainHash, at);
    }

    static byte[] signedBytes(String branch, long number, Digest chainHash, Instant at) {
        return ("holdfast-checkpoint-v1\n" + branch + "\n" + number + "\n" + chainHash + "\n" + at + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }
}
