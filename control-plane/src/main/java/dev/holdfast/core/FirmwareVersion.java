package dev.holdfast.core;

import java.math.BigInteger;
import java.util.regex.Pattern;

/// A firmware version, compared the way people read it: runs of digits as numbers, other runs as text; a version
/// with a `-suffix` comes before the same one without (as in Semantic Versioning section 11).
public record FirmwareVersion(String value) implements Comparable<FirmwareVersion> {
    private static final Pattern FORM = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._+-]{0,63}");
    private static final Pattern RUNS = Pattern.compile("(?<=\\d)(?=\\D)|(?<=\\D)(?=\\d)|[.]");

    public FirmwareVersion {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    "not a firmware version: letters, digits, '.', '_', '+', '-', at most 64 characters");
        }
    }

    @Override
    public int compareTo(FirmwareVersion other) {
        int byCore = compareRuns(core(), other.core());
        if (byCore != 0) {
            return byCore;
        }
        if (suffix().isEmpty() || other.suffix().isEmpty()) {
            return Boolean.compare(suffix().isEmpty(), other.suffix().isEmpty());
        }
        return compareRuns(suffix(), other.suffix());
    }

    private String core() {
        int dash = value.indexOf('-');
        return dash < 0 ? value : value.substring(0, dash);
    }

    private String suffix() {
        int dash = value.indexOf('-');
        return dash < 0 ? "" : value.substring(dash + 1);
    }

    private static int compareRuns(String left, String right) {
        String[] a = RUNS.split(left, -1);
        String[] b = RUNS.split(right, -1);
        for (int i = 0; i < Math.min(a.length, b.length); i++) {
            int order = isNumber(a[i]) && isNumber(b[i])
                    ? new BigInteger(a[i]).compareTo(new BigInteger(b[i]))
                    : a[i].compareTo(b[i]);
            if (order != 0) {
                return order;
            }
        }
        return Integer.compare(a.length, b.length);
    }

    private static boolean isNumber(String run) {
        return !run.isEmpty() && run.chars().allMatch(Character::isDigit);
    }

    @Override
    public String toString() {
        return value;
    }
}
