package dev.holdfast.ca;

import dev.holdfast.core.Serial;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;

/// When a certificate should be renewed, so that a fleet that enrolled in one hour does not renew in one hour.
///
/// The serial is 128 random bits, so its place between 0 and 1 is as good as a throw of the dice, and it is the
/// same on every node and after every restart. A device renews somewhere between half and five sixths of its
/// certificate's life: early enough for weeks of trying again, late enough that no certificate is wasted.
public final class RenewalSchedule {
    private static final double EARLIEST = 1 / 2.0;
    private static final double LATEST = 5 / 6.0;
    private static final BigInteger RANGE = BigInteger.ONE.shiftLeft(53);

    private RenewalSchedule() {}

    /// @param from when it was made (not its notBefore, which is backdated)
    public static Instant renewAt(Serial serial, Instant from, Instant notAfter) {
        double place = serial.number().mod(RANGE).doubleValue() / RANGE.doubleValue();
        Duration life = Duration.between(from, notAfter);
        return from.plusSeconds(Math.round(life.toSeconds() * (EARLIEST + (LATEST - EARLIEST) * place)));
    }
}
