package dev.holdfast.operator;

import java.util.ArrayList;
import java.util.List;

/// What became of each line of an import.
final class ImportReport {
    private static final int MOST_SHOWN = 100;

    private final List<Fields> errors = new ArrayList<>();
    private int read;
    private int accepted;
    private int unchanged;
    private int rejected;

    void accepted() {
        accepted++;
    }

    void accepted(int count) {
        accepted += count;
    }

    void unchanged() {
        unchanged++;
    }

    void read() {
        read++;
    }

    void rejected(int line, String why) {
        rejected++;
        if (errors.size() < MOST_SHOWN) {
            errors.add(Fields.of("line", line).with("message", why));
        }
    }

    Reply reply() {
        return Reply.ok(Fields.of("read", read)
                .with("accepted", accepted)
                .with("unchanged", unchanged)
                .with("rejected", rejected)
                .with("errors", errors));
    }
}
