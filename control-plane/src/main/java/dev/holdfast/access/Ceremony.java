package dev.holdfast.access;

import com.fasterxml.jackson.databind.node.ObjectNode;

/// A WebAuthn ceremony begun: what the browser gets, and the name under which it comes back.
///
/// @param publicKey `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON`
public record Ceremony(String id, ObjectNode publicKey) {}
