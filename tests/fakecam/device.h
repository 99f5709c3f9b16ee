/* The program's side of an open fake device: its descriptor, its memory, and what ioctl does. */
#ifndef CAMGATE_FAKECAM_DEVICE_H
#define CAMGATE_FAKECAM_DEVICE_H

#include "fakecam.h"

struct device;

/* Starts a driver and returns a descriptor, or -errno. */
int device_open(const struct fakecam_config *c, int flags);
/* The device that this process opened as fd, or NULL. Makes no system call. */
struct device *device_find(int fd);
/* The same for a duplicate of such a descriptor: looks at its inode. */
struct device *device_find_duplicate(int fd);
/* fd is closed, or becomes something else. */
void device_forget(int fd);
/* What to map in place of the device. */
int device_memory_fd(const struct device *d);
struct device_memory *device_memory(struct device *d);
/* ioctl.c: 0 or -errno. */
int device_ioctl(struct device *d, int fd, uint32_t request, void *argument);

/* stream.c: the ioctls of streaming. 0 or -errno. */
int stream_request_buffers(struct device_memory *m, struct v4l2_requestbuffers *r);
int stream_query(struct device_memory *m, struct v4l2_buffer *b);
int stream_queue(struct device_memory *m, struct v4l2_buffer *b);
int stream_dequeue(struct device_memory *m, int fd, struct v4l2_buffer *b);
int stream_start(struct device_memory *m);
int stream_stop(struct device_memory *m, int fd);
/* The type of buffer that this kind of device has. */
uint32_t stream_buffer_type(const struct device_memory *m);

/* Whether the device has a fault of this kind; its `every` in *ret unless ret is NULL. */
bool fakecam_has_fault(const struct fakecam_config *c, uint32_t fault, uint32_t *ret);

#endif
