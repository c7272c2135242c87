package dev.holdfast.simulator;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;

/// Runs a main class until its parent lets go: when standard input ends, the process ends. So nothing outlives the
/// demo, however it dies.
public final class Tethered {
    private Tethered() {}

    /// @param arguments the main class, then its arguments
    public static void main(String[] arguments) throws ReflectiveOperationException {
        Thread.ofPlatform().daemon().name("tether").start(() -> {
            try {
                while (System.in.read() >= 0) {
                    // Nothing is said on this line; only its end counts.
                }
            } catch (IOException lineLost) {
                // The same.
            }
            System.exit(143);
        });
        try {
            Class.forName(arguments[0]).getMethod("main", String[].class).invoke(null, (Object)
                    Arrays.copyOfRange(arguments, 1, arguments.length));
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(arguments[0] + " failed", e.getCause());
        }
    }
}
