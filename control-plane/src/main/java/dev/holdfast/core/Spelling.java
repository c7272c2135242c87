package dev.holdfast.core;

/// How names may be spelt. By hand and not by patterns: a server that starts reads millions of them.
final class Spelling {
    private Spelling() {}

    /// A letter or digit, then letters, digits, `.`, `_` and `-`.
    static boolean isName(String text, int most) {
        return isFrom(text, most, "", "._-", true);
    }

    /// A lower-case letter, then such letters, digits and `-`.
    static boolean isLowerCaseName(String text, int most) {
        return isFrom(text, most, "0123456789", "-", false);
    }

    /// Lower-case hexadecimal without leading zeros.
    static boolean isNumber(String text, int most) {
        if (text.isEmpty() || text.length() > most || (text.charAt(0) == '0' && text.length() > 1)) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
                return false;
            }
        }
        return true;
    }

    /// @param notFirst what the first character may not be, of the letters and digits
    /// @param later what others may be beside letters and digits
    private static boolean isFrom(String text, int most, String notFirst, String later, boolean upperCase) {
        if (text.isEmpty() || text.length() > most) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean usual = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (upperCase && c >= 'A' && c <= 'Z');
            if (usual ? i == 0 && notFirst.indexOf(c) >= 0 : i == 0 || later.indexOf(c) < 0) {
                return false;
            }
        }
        return true;
    }
}
