package dev.holdfast.detection;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// The room's door: what was found, and whether a device is well.
@SuppressWarnings("DoNotCallSuggester") // signatures first; the bodies follow
public final class Detection implements AutoCloseable {
    /// A finding as it is stored.
    public record Stored(long id, Finding finding) {}

    /// Findings of a device, newest first.
    ///
    /// @param before the id before which to begin; [Long#MAX_VALUE] for the first page
    public List<Stored> findings(DeviceRef device, long before, int limit) {
        throw new UnsupportedOperationException();
    }

    /// Findings of every device, newest first.
    public List<Stored> findings(Environment environment, long before, int limit) {
        throw new UnsupportedOperationException();
    }

    /// The first finding of something that began after the time; what went on before and still does is not new.
    public Optional<Finding> newFindingSince(DeviceRef device, Instant time) {
        throw new UnsupportedOperationException();
    }

    /// When we last received a measurement whose every value was inside its band and its history.
    public Optional<Instant> lastHealthyMeasurement(DeviceRef device) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
