package dev.holdfast.rollout;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/// Where one device stands in one rollout.
public enum MemberState {
    /// Not offered yet.
    PENDING,
    /// Granted: it may ask for the image.
    OFFERED,
    /// The first byte of the image has left.
    DOWNLOADING,
    /// The last byte has left, or the device said so: it is exposed.
    DOWNLOADED,
    /// It said it has installed, or reports the new version: it is being watched.
    INSTALLED,
    HEALTHY,
    FAILED,
    /// Taken back before it was exposed.
    WITHDRAWN,
    /// Exposed and undecided when the rollout stopped.
    RECALLED,
    /// It ran the version already.
    SKIPPED;

    public static final Set<MemberState> UNDECIDED = EnumSet.of(OFFERED, DOWNLOADING, DOWNLOADED, INSTALLED);

    public boolean undecided() {
        return UNDECIDED.contains(this);
    }

    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static MemberState of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }
}
