package dev.holdfast.response;

import dev.holdfast.core.DeviceId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What an isolation by hand would do.
///
/// @param count how many devices would be isolated; given back with the order, so that nothing else is isolated
/// @param devices the first of them, at most 100
/// @param childrenBehind how many more lose their way because they are reached through one of them
/// @param children the first of those, at most 100
/// @param exempt on the never-isolate list, which binds only automatic isolation: a person may, and should know
/// @param leftAsTheyAre isolated already, or in a state from which they can't be
/// @param undo how to undo it, in a sentence
/// @param legs how far it would reach the first of them
/// @param automaticUsed how many devices automatic isolation has taken within its window
/// @param automaticLimit how many it may
public record IsolationPreview(
        int count,
        List<DeviceId> devices,
        int childrenBehind,
        List<DeviceId> children,
        List<Exempt> exempt,
        int leftAsTheyAre,
        Instant until,
        String undo,
        Optional<Action.Legs> legs,
        int automaticUsed,
        int automaticLimit) {

    public IsolationPreview {
        devices = List.copyOf(devices);
        children = List.copyOf(children);
        exempt = List.copyOf(exempt);
    }

    public record Exempt(DeviceId device, String why) {}
}
