package dev.holdfast.telemetry;

/// How something is known. Only proven or observed findings may isolate a device by themselves, so that nobody
/// can
/// use
/// us to cut off a neighbour.
public enum Provenance {
    /// Cryptography, or our own observation of the protocol.
    PROVEN,
    /// A registered gateway's or sensor's word, over mutual TLS.
    OBSERVED,
    /// The device's own word, or another device's.
    CLAIMED
}
