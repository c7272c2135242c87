package dev.holdfast.telemetry;

/// Text from a device made safe to store, to log, to print on a terminal and to show: what can't be seen is made
/// visible, and nothing can end a line, move a cursor or turn the reading direction.
///
/// HTML needs no escape here (pages escape it where they show it, or `<` would be stored as something it is
/// not);
/// control characters, line and paragraph separators, bidirectional controls, other invisible format
/// characters and
/// lone surrogates become a backslash, `u` and the code point in braces, in the text itself.
public final class SafeText {
    private static final char[] HEX = "0123456789abcdef".toCharArray();

    private SafeText() {}

    /// @param most characters of the result; what is cut off is marked by an ellipsis
    public static String of(String raw, int most) {
        int length = raw.length();
        int i = 0;
        if (length <= most) {
            while (i < length && isPlain(raw.charAt(i))) {
                i++;
            }
            if (i == length) {
                return raw;
            }
        }
        StringBuilder safe = new StringBuilder(Math.min(length + 16, most));
        for (i = 0; i < length; ) {
            int point = raw.codePointAt(i);
            int before = safe.length();
            append(safe, point);
            if (safe.length() > most - 1 && (safe.length() > most || i + Character.charCount(point) < length)) {
                safe.setLength(before);
                return safe.append('…').toString();
            }
            i += Character.charCount(point);
        }
        return safe.toString();
    }

    private static boolean isPlain(char c) {
        return c >= 0x20 && c < 0x7f && c != '\\';
    }

    private static void append(StringBuilder safe, int point) {
        if (point == '\\') {
            safe.append("\\\\"); // so that an escape of ours can't be forged
        } else if (isHidden(point)) {
            safe.append('\\').append("u{");
            boolean started = false;
            for (int shift = 20; shift >= 0; shift -= 4) {
                int digit = (point >> shift) & 0xf;
                if (digit != 0 || started || shift == 0) {
                    started = true;
                    safe.append(HEX[digit]);
                }
            }
            safe.append('}');
        } else {
            safe.appendCodePoint(point);
        }
    }

    private static boolean isHidden(int point) {
        return switch (Character.getType(point)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED -> true;
            default -> (point >= 0xfe00 && point <= 0xfe0f) || point == 0x115f || point == 0x1160 || point == 0x3164;
        };
    }
}
