package dev.holdfast.cli;

import java.util.regex.Pattern;

/// A certificate's serial number as people give it: hexadecimal, with colons or without.
final class SerialNumber {
    private static final Pattern FORM = Pattern.compile("[0-9a-fA-F:]{1,59}");

    private SerialNumber() {}

    static boolean isOne(String text) {
        return FORM.matcher(text).matches();
    }

    /// The path of the certificate with this serial number.
    ///
    /// @throws ApiException when it is something else; a device's name, most likely
    static String path(String text) {
        if (!isOne(text)) {
            throw new ApiException(
                    2,
                    "'" + text + "' is not a serial number (hexadecimal). The certificates of a device of that name:"
                            + " holdfast cert list --device " + text);
        }
        return "/certificates/" + ApiClient.encode(text);
    }
}
