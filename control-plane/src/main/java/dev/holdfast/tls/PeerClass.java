package dev.holdfast.tls;

/// What sort of client certificate a connection presented. Each route names the classes it accepts.
public enum PeerClass {
    /// None at all.
    NONE,
    /// An initial device identity (IEEE 802.1AR) under a registered manufacturer's anchor.
    MANUFACTURER,
    /// The one that a batch of devices shares to claim certificates of their own with; good for
    /// `simpleenroll` alone.
    CLAIM,
    /// One that we issued to a device.
    OPERATIONAL,
    /// Of either sort, but its time is over.
    EXPIRED,
    /// Of either sort, but its time has not come.
    NOT_YET_VALID
}
