package dev.holdfast.web;

import java.util.ArrayList;
import java.util.List;

/// What became of each line of an import.
public final class ImportReport {
    private static final int MOST_SHOWN = 100;

    private final List<Fields> errors = new ArrayList<>();
    private int read;
    private int accepted;
    private int unchanged;
    private int rejected;

    public void accepted() {
        accepted++;
    }

    public void accepted(int count) {
        accepted += count;
    }

    public void unchanged() {
        unchanged++;
    }

    public void read() {
        read++;
    }

    public void rejected(int line, String why) {
        rejected++;
        if (errors.size() < MOST_SHOWN) {
            errors.add(Fields.of("line", line).with("message", why));
        }
    }

    public Reply reply() {
        return Reply.ok(Fields.of("read", read)
                .with("accepted", accepted)
                .with("unchanged", unchanged)
                .with("rejected", rejected)
                .with("errors", errors));
    }
}
