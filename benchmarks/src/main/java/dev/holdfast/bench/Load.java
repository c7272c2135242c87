package dev.holdfast.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/// Works through a list with so many clients at once and returns how many operations succeeded; the first failure
/// ends the run, because a figure over failures means nothing.
final class Load {
    private Load() {}

    /// One thing a client does.
    @FunctionalInterface
    interface Step<T> {
        int run(T item) throws IOException;
    }

    static <T> int each(List<T> items, int atOnce, Step<T> step) throws IOException {
        AtomicInteger next = new AtomicInteger();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> all = new ArrayList<>();
            for (int client = 0; client < Math.min(atOnce, items.size()); client++) {
                all.add(threads.submit(() -> {
                    int done = 0;
                    for (int at = next.getAndIncrement(); at < items.size(); at = next.getAndIncrement()) {
                        done += step.run(items.get(at));
                    }
                    return done;
                }));
            }
            int done = 0;
            for (Future<Integer> one : all) {
                done += one.get();
            }
            return done;
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    static int get(DeviceConnection connection, String path, int status) throws IOException {
        connection.write(("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAccept: application/hal+json\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
        expect(connection.response(), status);
        return 1;
    }

    static void expect(int found, int status) throws IOException {
        if (found != status) {
            throw new IOException("status " + found + " instead of " + status);
        }
    }

    static void pause(long millis) {
        java.util.concurrent.locks.LockSupport.parkNanos(millis * 1_000_000);
    }
}
