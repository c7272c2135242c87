package dev.holdfast.protocol.swu;

import dev.holdfast.testkit.fuzz.FuzzTarget;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// The archive of an update image and the description in it.
public final class ImageTargets {
    private ImageTargets() {}

    public static List<FuzzTarget> all() {
        return List.of(
                new FuzzTarget("cpio", 3_000, ImageTargets::archive, List.of(cpio())),
                new FuzzTarget(
                        "libconfig", 3_000, ImageTargets::description, List.of("""
                                software = { version = "1.2.0"; hardware-compatibility: [ "rev-a", "rev-b" ];
                                  images: ( { filename = "m.img"; sha256 = "ab"; size = 0x10; on = true; } ); // end
                                }; /* all */
                                """.getBytes(StandardCharsets.UTF_8))));
    }

    private static byte[] cpio() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (String name : List.of("sw-description", "m.img", "TRAILER!!!")) {
            byte[] content = name.startsWith("T") ? new byte[0] : new byte[5];
            out.writeBytes(("070701" + "00000000".repeat(6) + "%08x".formatted(content.length) + "00000000".repeat(4)
                            + "%08x".formatted(name.length() + 1) + "00000000" + name + "\0")
                    .getBytes(StandardCharsets.US_ASCII));
            pad(out);
            out.writeBytes(content);
            pad(out);
        }
        return out.toByteArray();
    }

    private static void pad(ByteArrayOutputStream out) {
        while (out.size() % 4 != 0) {
            out.write(0);
        }
    }

    private static boolean archive(byte[] input) {
        CpioReader reader = new CpioReader(new ByteArrayInputStream(input));
        try {
            while (reader.next().isPresent()) {
                reader.content(1 << 20);
            }
            return true;
        } catch (SwuException | IOException expected) {
            return false;
        }
    }

    private static boolean description(byte[] input) {
        try {
            Libconfig.parse(new String(input, StandardCharsets.UTF_8));
            return true;
        } catch (SwuException expected) {
            return false;
        }
    }
}
