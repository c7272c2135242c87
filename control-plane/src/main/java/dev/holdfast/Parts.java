package dev.holdfast;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a server has opened, to be closed in the reverse order, whatever becomes of each.
final class Parts implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Parts.class);

    private final Deque<Part> open = new ArrayDeque<>();

    private record Part(String what, AutoCloseable part) {}

    <T extends AutoCloseable> T opened(String what, T part) {
        open.push(new Part(what, part));
        return part;
    }

    @Override
    public void close() {
        while (!open.isEmpty()) {
            Part last = open.pop();
            try {
                last.part().close();
            } catch (Exception e) {
                LOG.error("closing the {} failed", last.what(), e);
            }
        }
    }
}
