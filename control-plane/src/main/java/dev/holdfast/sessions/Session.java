package dev.holdfast.sessions;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import java.time.Instant;

/// One live connection of a device.
///
/// @param id unique on this node, never reused, and in the order of opening ([dev.holdfast.core.SessionOrder])
/// @param until when its certificate ends
/// @param protocol `mqtt` or `https`
/// @param remoteAddress where it comes from, as our socket sees it
public record Session(
        long id,
        DeviceRef device,
        Serial certificate,
        Instant until,
        String protocol,
        String remoteAddress,
        Instant since) {}
