package dev.holdfast.response;

import dev.holdfast.core.DeviceId;
import java.time.Instant;
import java.util.List;

/// What an isolation by hand would do.
///
/// @param count how many devices would be isolated; given back with the order, so that nothing else is isolated
/// @param devices the first of them, at most 100
/// @param childrenBehind how many more lose their way because they are reached through one of them
/// @param exempt on the never-isolate list, and left alone
/// @param alreadyIsolated left as they are
/// @param undo how to undo it, in a sentence
public record IsolationPreview(
        int count,
        List<DeviceId> devices,
        int childrenBehind,
        List<Exempt> exempt,
        int alreadyIsolated,
        Instant until,
        String undo) {
    public record Exempt(DeviceId device, String why) {}
}
