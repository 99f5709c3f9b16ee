/*
 * What the drivers of the devices in pi4.umockdev, pi5.umockdev and webcams.umockdev answer. The
 * words are those that v4l2-ctl prints on such machines (a Pi 4 with kernel 6.6, a Pi 5 with 6.12)
 * or that their drivers have in their source. `capabilities` is often the union over all nodes.
 */
#ifndef CAMGATE_TESTS_V4L2_NODES_H
#define CAMGATE_TESTS_V4L2_NODES_H

#include <linux/videodev2.h>
#include <stdint.h>

struct v4l2_node {
	unsigned int number; /* of /dev/videoN */
	unsigned int minor;
	const char *card;
	uint32_t capabilities, device_caps;
	uint32_t input; /* type of the first one; 0: VIDIOC_ENUMINPUT is ENOTTY */
	uint32_t formats[4];
	const char *refusal; /* NULL: it is a camera */
};

#define CODEC "codec, an output or a metadata"
#define PIPELINE "image pipeline"
#define INPUT "input is not a camera"
#define NO_VIDEO "does not capture video"
#define BAYER "libcamera"

#define CAMERA_INPUT V4L2_INPUT_TYPE_CAMERA
#define WEBCAM(number, minor, card)                                                                \
	{                                                                                          \
		number, minor, card, 0x84a00001, 0x04200001, CAMERA_INPUT,                         \
			{V4L2_PIX_FMT_MJPEG, V4L2_PIX_FMT_YUYV}, NULL                              \
	}
#define WEBCAM_METADATA(number, minor, card)                                                       \
	{                                                                                          \
		number, minor, card, 0x84a00001, 0x04a00000, 0, {V4L2_META_FMT_UVC}, CODEC         \
	}

/* The legacy and the media controller's unicam; the latter lists whatever any sensor could give. */
#define UNICAM_BAYER                                                                               \
	{                                                                                          \
		V4L2_PIX_FMT_SBGGR10P, V4L2_PIX_FMT_SBGGR10, V4L2_PIX_FMT_SBGGR8                   \
	}
#define UNICAM_ANY                                                                                 \
	{                                                                                          \
		V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_UYVY, V4L2_PIX_FMT_RGB24, V4L2_PIX_FMT_SBGGR8      \
	}
#define BCM_CODEC(number, minor)                                                                   \
	{                                                                                          \
		number, minor, "bcm2835-codec", 0x84204000, 0x04204000, 0, {V4L2_PIX_FMT_YUV420},  \
			CODEC                                                                      \
	}
#define BCM_ISP(number, minor, device_caps, refusal)                                               \
	{                                                                                          \
		number, minor, "bcm2835-isp", device_caps | 0x80000000, device_caps, 0,            \
			{V4L2_PIX_FMT_YUV420, V4L2_PIX_FMT_YUYV}, refusal                          \
	}

static const struct v4l2_node pi4_nodes[] = {
	{0, 1, "unicam", 0xa5a00001, 0x25200001, CAMERA_INPUT, UNICAM_ANY, PIPELINE},
	{1, 16, "unicam", 0x85a00001, 0x05200001, CAMERA_INPUT, UNICAM_BAYER, BAYER},
	WEBCAM(2, 17, "C270 HD WEBCAM"),
	WEBCAM_METADATA(3, 18, "C270 HD WEBCAM"),
	BCM_CODEC(10, 10),
	BCM_CODEC(11, 11),
	BCM_CODEC(12, 12),
	BCM_ISP(13, 0, 0x04200002, CODEC),
	BCM_ISP(14, 3, 0x04200001, INPUT),
	BCM_ISP(15, 4, 0x04200001, INPUT),
	BCM_ISP(16, 5, 0x04a00000, CODEC),
	BCM_CODEC(18, 13),
	{19, 15, "rpivid", 0x84204000, 0x04204000, 0, {V4L2_PIX_FMT_NV12}, CODEC},
	BCM_ISP(20, 6, 0x04200002, CODEC),
	BCM_ISP(21, 7, 0x04200001, INPUT),
	BCM_ISP(22, 8, 0x04200001, INPUT),
	BCM_ISP(23, 9, 0x04a00000, CODEC),
	BCM_CODEC(31, 14),
};

#define CFE(number, device_caps)                                                                   \
	{                                                                                          \
		number, number, "rp1-cfe", 0xaca00001, device_caps, CAMERA_INPUT, UNICAM_ANY,      \
			PIPELINE                                                                   \
	}
#define CFE_METADATA(number, device_caps, refusal)                                                 \
	{                                                                                          \
		number, number, "rp1-cfe", 0xaca00001, device_caps, 0, {0}, refusal                \
	}
#define PISPBE(number, minor, device_caps, refusal)                                                \
	{                                                                                          \
		number, minor, "pispbe", 0x8ca03000, device_caps, 0,                               \
			{V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_YUYV}, refusal                            \
	}

static const struct v4l2_node pi5_nodes[] = {
	CFE(0, 0x24200001),
	CFE_METADATA(1, 0x24a00000, CODEC),
	CFE(2, 0x24200001),
	CFE(3, 0x24200001),
	CFE(4, 0x24200001),
	CFE(5, 0x24200001),
	CFE_METADATA(6, 0x24a00000, CODEC),
	CFE_METADATA(7, 0x2c200000, NO_VIDEO),
	WEBCAM(8, 25, "USB 2.0 Camera"),
	WEBCAM_METADATA(9, 26, "USB 2.0 Camera"),
	{19, 8, "rpi-hevc-dec", 0x84204000, 0x04204000, 0, {V4L2_PIX_FMT_NV12}, CODEC},
	PISPBE(20, 9, 0x04202000, CODEC),
	PISPBE(21, 10, 0x04202000, CODEC),
	PISPBE(22, 11, 0x04202000, CODEC),
	PISPBE(23, 12, 0x04201000, INPUT),
	PISPBE(24, 13, 0x04201000, INPUT),
	PISPBE(25, 14, 0x04201000, INPUT),
	PISPBE(26, 15, 0x04201000, INPUT),
	PISPBE(27, 16, 0x0c200000, NO_VIDEO),
	PISPBE(28, 17, 0x04202000, CODEC),
	PISPBE(29, 18, 0x04202000, CODEC),
	PISPBE(30, 19, 0x04202000, CODEC),
	PISPBE(31, 20, 0x04201000, INPUT),
	PISPBE(32, 21, 0x04201000, INPUT),
	PISPBE(33, 22, 0x04201000, INPUT),
	PISPBE(34, 23, 0x04201000, INPUT),
	PISPBE(35, 24, 0x0c200000, NO_VIDEO),
};

/* 0 and 2 are twins; 0, 2 and 4 are on one bus; udev still works on 10 and 15. */
static const struct v4l2_node webcam_nodes[] = {
	WEBCAM(0, 0, "USB 2.0 Camera"),
	WEBCAM_METADATA(1, 1, "USB 2.0 Camera"),
	WEBCAM(2, 2, "USB 2.0 Camera"),
	WEBCAM_METADATA(3, 3, "USB 2.0 Camera"),
	WEBCAM(4, 4, "C270 HD WEBCAM"),
	WEBCAM_METADATA(5, 5, "C270 HD WEBCAM"),
	WEBCAM(10, 10, "Hostile"),
	WEBCAM_METADATA(11, 11, "Hostile"),
	WEBCAM(12, 12, "Left out"),
	{14, 14, "vivid", 0x85200001, 0x05200001, CAMERA_INPUT, {V4L2_PIX_FMT_YUYV}, NULL},
	{15, 15, "vivid", 0x85200001, 0x05200001, CAMERA_INPUT, {V4L2_PIX_FMT_YUYV}, NULL},
};

#endif
