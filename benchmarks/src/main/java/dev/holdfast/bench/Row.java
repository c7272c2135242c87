package dev.holdfast.bench;

import java.util.Map;
import java.util.TreeMap;

/// One line of the table.
///
/// @param ours microseconds, octets or milliseconds, as `unit` says
/// @param yardstick the same of the program beside it; not a number where there is none
record Row(String name, String unit, double ours, String beside, double yardstick, Map<String, Object> details) {
    Row {
        details = new TreeMap<>(details);
    }

    String ratio() {
        return Double.isNaN(yardstick) || yardstick == 0 ? "-" : "%.2f".formatted(ours / yardstick);
    }
}
