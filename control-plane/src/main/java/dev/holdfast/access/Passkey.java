package dev.holdfast.access;

import java.time.Instant;
import java.util.Optional;

/// A passkey as its owner sees it.
///
/// @param id the credential id, base64url
public record Passkey(String id, String name, Instant createdAt, Optional<Instant> lastUsedAt) {}
