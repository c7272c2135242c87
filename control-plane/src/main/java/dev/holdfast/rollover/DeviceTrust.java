package dev.holdfast.rollover;

import dev.holdfast.core.DeviceRef;
import java.time.Instant;
import java.util.Optional;

/// How far one device has come in a rollover.
///
/// @param told when its desired state began to name the new root
/// @param fetched when it last fetched the certificates that carry the new root in
/// @param trusts since when its reports name the new root
/// @param moved whether it uses a certificate of the new authority
/// @param depends whether it has a certificate of the old one that still counts
public record DeviceTrust(
        DeviceRef device,
        Optional<Instant> told,
        Optional<Instant> fetched,
        Optional<Instant> trusts,
        boolean moved,
        boolean depends) {
    /// Which devices are asked for.
    public enum Only {
        ALL,
        /// Have said that they trust the new root; of an issuer's rollover: have moved.
        ACKNOWLEDGED,
        /// The others.
        MISSING
    }
}
