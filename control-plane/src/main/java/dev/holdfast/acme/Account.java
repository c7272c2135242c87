package dev.holdfast.acme;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.protocol.acme.AcmeKey;

/// An account: a key that speaks for one device under one profile.
///
/// @param active false once it was deactivated, which is for ever
record Account(String id, DeviceRef device, String profile, AcmeKey key, boolean active) {}
