package dev.holdfast.protocol.tpm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

/// A measured event in words: its type, and what its data says (TCG PC Client Platform Firmware Profile,
/// section 10.4). Short, and safe to show. Data that is not what was measured is the firmware's mere word, and
/// is put in quotation marks.
final class EventWords {
    private static final int MOST = 80;
    private static final int MOST_NODES = 64;
    private static final Map<Long, String> TYPES = Map.ofEntries(
            Map.entry(0x00L, "EV_PREBOOT_CERT"),
            Map.entry(0x01L, "EV_POST_CODE"),
            Map.entry(0x03L, "EV_NO_ACTION"),
            Map.entry(0x04L, "EV_SEPARATOR"),
            Map.entry(0x05L, "EV_ACTION"),
            Map.entry(0x06L, "EV_EVENT_TAG"),
            Map.entry(0x07L, "EV_S_CRTM_CONTENTS"),
            Map.entry(0x08L, "EV_S_CRTM_VERSION"),
            Map.entry(0x09L, "EV_CPU_MICROCODE"),
            Map.entry(0x0aL, "EV_PLATFORM_CONFIG_FLAGS"),
            Map.entry(0x0bL, "EV_TABLE_OF_DEVICES"),
            Map.entry(0x0cL, "EV_COMPACT_HASH"),
            Map.entry(0x0dL, "EV_IPL"),
            Map.entry(0x0eL, "EV_IPL_PARTITION_DATA"),
            Map.entry(0x0fL, "EV_NONHOST_CODE"),
            Map.entry(0x10L, "EV_NONHOST_CONFIG"),
            Map.entry(0x11L, "EV_NONHOST_INFO"),
            Map.entry(0x12L, "EV_OMIT_BOOT_DEVICE_EVENTS"),
            Map.entry(0x8000_0001L, "EV_EFI_VARIABLE_DRIVER_CONFIG"),
            Map.entry(0x8000_0002L, "EV_EFI_VARIABLE_BOOT"),
            Map.entry(0x8000_0003L, "EV_EFI_BOOT_SERVICES_APPLICATION"),
            Map.entry(0x8000_0004L, "EV_EFI_BOOT_SERVICES_DRIVER"),
            Map.entry(0x8000_0005L, "EV_EFI_RUNTIME_SERVICES_DRIVER"),
            Map.entry(0x8000_0006L, "EV_EFI_GPT_EVENT"),
            Map.entry(0x8000_0007L, "EV_EFI_ACTION"),
            Map.entry(0x8000_0008L, "EV_EFI_PLATFORM_FIRMWARE_BLOB"),
            Map.entry(0x8000_0009L, "EV_EFI_HANDOFF_TABLES"),
            Map.entry(0x8000_000aL, "EV_EFI_PLATFORM_FIRMWARE_BLOB2"),
            Map.entry(0x8000_000bL, "EV_EFI_HANDOFF_TABLES2"),
            Map.entry(0x8000_000cL, "EV_EFI_VARIABLE_BOOT2"),
            Map.entry(0x8000_0010L, "EV_EFI_HCRTM_EVENT"),
            Map.entry(0x8000_00e0L, "EV_EFI_VARIABLE_AUTHORITY"));

    private EventWords() {}

    /// `EV_EFI_VARIABLE_DRIVER_CONFIG SecureBoot`
    ///
    /// @param bank whose digest tells whether the data is what was measured
    static String of(EventLog.Event event, TpmHash bank) {
        String type = TYPES.getOrDefault(event.type(), "event 0x" + Long.toHexString(event.type()));
        String says =
                says(event).map(EventWords::plain).filter(s -> !s.isEmpty()).orElse("");
        if (says.isEmpty()) {
            return type;
        }
        boolean measured = HexFormat.of()
                .formatHex(bank.digest(event.data()))
                .equals(event.digests().get(bank));
        return type + " " + (measured ? says : "\"" + says.replace('"', '\'') + "\"");
    }

    private static Optional<String> says(EventLog.Event event) {
        byte[] data = event.data();
        return switch ((int) event.type()) {
            case 0x8000_0001, 0x8000_0002, 0x8000_000c, 0x8000_00e0 -> variable(data);
            case 0x8000_0003, 0x8000_0004, 0x8000_0005 -> image(data);
            case 0x8000_0008 -> Optional.empty(); // an address and a length
            case 0x8000_000a -> blob(data);
            case 0x08 -> Optional.of(text(data, 0, data.length, StandardCharsets.UTF_16LE));
            case 0x01, 0x05, 0x0d, 0x0e, 0x12, 0x8000_0007 ->
                Optional.of(text(data, 0, data.length, StandardCharsets.US_ASCII));
            default -> Optional.empty();
        };
    }

    /// UEFI_VARIABLE_DATA (section 10.2.6): the variable's name.
    private static Optional<String> variable(byte[] data) {
        if (data.length < 32) {
            return Optional.empty();
        }
        long characters = little(data).getLong(16);
        return characters < 0 || characters > (data.length - 32) / 2
                ? Optional.empty()
                : Optional.of(text(data, 32, (int) characters * 2, StandardCharsets.UTF_16LE));
    }

    /// UEFI_IMAGE_LOAD_EVENT (section 10.2.3): the file in its device path (UEFI section 10.3.5.4).
    private static Optional<String> image(byte[] data) {
        if (data.length < 32) {
            return Optional.empty();
        }
        ByteBuffer in = little(data);
        int at = 32;
        for (int node = 0; node < MOST_NODES && at + 4 <= data.length; node++) {
            int length = in.getShort(at + 2) & 0xffff;
            if (length < 4 || at + length > data.length) {
                return Optional.empty();
            }
            if (data[at] == 4 && data[at + 1] == 4) {
                return Optional.of(text(data, at + 4, length - 4, StandardCharsets.UTF_16LE));
            }
            at += length;
        }
        return Optional.empty();
    }

    /// UEFI_PLATFORM_FIRMWARE_BLOB2 (section 10.2.5): its description.
    private static Optional<String> blob(byte[] data) {
        int length = data.length == 0 ? 0 : data[0] & 0xff;
        return length == 0 || 1 + length > data.length
                ? Optional.empty()
                : Optional.of(text(data, 1, length, StandardCharsets.US_ASCII));
    }

    private static ByteBuffer little(byte[] data) {
        return ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static String text(byte[] data, int from, int length, Charset charset) {
        return new String(data, from, Math.min(length, 4 * MOST), charset);
    }

    /// Printable ASCII, at most [#MOST] characters, up to the first zero.
    private static String plain(String text) {
        StringBuilder safe = new StringBuilder();
        for (int i = 0; i < text.length() && safe.length() < MOST && text.charAt(i) != 0; i++) {
            char c = text.charAt(i);
            safe.append(c >= ' ' && c < 0x7f ? c : '.');
        }
        return safe.toString().strip();
    }
}
