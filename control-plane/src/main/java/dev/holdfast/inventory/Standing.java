package dev.holdfast.inventory;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import java.util.Optional;

/// What a hot path must know of a device, held in memory for every device.
public record Standing(Lifecycle state, ModelId model, Labels labels, Optional<DeviceId> reachesVia) {}
