package dev.holdfast.testkit.fuzz;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Base64;
import java.util.List;

/// A parser of bytes that others make, what good input for it looks like, and what must hold whatever comes.
///
/// @param name one word; findings are kept under it
/// @param seeds good inputs: each must be taken, or the property would say little
/// @param rounds mutated inputs in every check
/// @param mostOctets that one input may make the parser allocate, beside a multiple of its own size
/// @param property throws when it does not hold; the parser's own checked exception is no violation
public record FuzzTarget(String name, List<byte[]> seeds, int rounds, long mostOctets, Property property) {
    private static final ThreadMXBean THREAD = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long OCTETS = 16L << 20;
    private static final long TIMES_ITS_SIZE = 2_000;
    private static final long MOST_CPU_NANOS = 2_000_000_000L;

    public FuzzTarget {
        seeds = seeds.stream().map(byte[]::clone).toList();
    }

    /// With the usual bounds.
    public FuzzTarget(String name, int rounds, Property property, List<byte[]> seeds) {
        this(name, seeds, rounds, OCTETS, property);
    }

    /// What must hold for every input.
    @FunctionalInterface
    public interface Property {
        /// @return whether the parser has taken the input
        boolean holds(byte[] input) throws Exception;
    }

    /// Tries one input: nothing but the property's own exceptions comes out, within bounds of CPU time and of
    /// memory. What is over them is tried again: a class that is loaded at that moment is not the input's doing.
    ///
    /// @return whether the parser has taken it
    /// @throws AssertionError with the input, when something does not hold
    public boolean attempt(byte[] input) {
        Cost cost = measured(input);
        if (cost.isTooMuch(this, input.length)) {
            cost = measured(input);
        }
        if (cost.isTooMuch(this, input.length)) {
            throw new AssertionError(
                    says(input) + " cost " + cost.nanos() / 1_000_000 + " ms of CPU and " + cost.octets() + " octets");
        }
        return cost.taken();
    }

    private record Cost(boolean taken, long nanos, long octets) {
        boolean isTooMuch(FuzzTarget target, int length) {
            return nanos > MOST_CPU_NANOS || octets > target.mostOctets + TIMES_ITS_SIZE * length;
        }
    }

    private Cost measured(byte[] input) {
        long octets = THREAD.getCurrentThreadAllocatedBytes();
        long nanos = THREAD.getCurrentThreadCpuTime();
        try {
            boolean taken = property.holds(input.clone());
            return new Cost(
                    taken, THREAD.getCurrentThreadCpuTime() - nanos, THREAD.getCurrentThreadAllocatedBytes() - octets);
        } catch (Exception | AssertionError | StackOverflowError | OutOfMemoryError e) {
            throw new AssertionError(says(input) + ": " + e, e);
        }
    }

    private String says(byte[] input) {
        return name + " " + Base64.getEncoder().encodeToString(input);
    }
}
