// SPDX-License-Identifier: GPL-2.0
/*
 * What a balloon on the vDPA bus is to the bus and to a VMM: identity, features, configuration
 * space, status. See vdpa_lifecycle.c for how it is used, and iotlb.c for its memory.
 */
#include <endian.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <sys/eventfd.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_vdpa.h"

#define BIT(feature)	VB_FEATURE(VIRTIO_BALLOON_F_##feature)
#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
#define TRANSPORT	(V1 | VB_FEATURE(VIRTIO_F_ACCESS_PLATFORM) | \
			 VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | \
			 VB_FEATURE(VIRTIO_RING_F_EVENT_IDX))
#define DEFAULT		(TRANSPORT | BIT(MUST_TELL_HOST) | BIT(STATS_VQ) | \
			 BIT(FREE_PAGE_HINT) | BIT(PAGE_POISON))
#define ALL		(DEFAULT | BIT(DEFLATE_ON_OOM) | BIT(REPORTING))

#define FIELD(name)	offsetof(struct virtio_balloon_config, name)
#define TARGET		0x01020304U
#define ACTUAL		0x11121314U
#define POISON		0xa1a2a3a4U
#define GARBAGE		0xdeadbeefU
#define FIRST_CMD_ID	0x80000000U

/* What devices offer. */
FIXTURE(vdpa_features) {
	struct vb_vdpa d;
};

FIXTURE_VARIANT(vdpa_features) {
	__u64 wanted;
	__u64 offered;
	unsigned int config_size;
};

FIXTURE_VARIANT_ADD(vdpa_features, by_default) {
	.offered = DEFAULT,
	.config_size = 16,
};

FIXTURE_VARIANT_ADD(vdpa_features, none) {
	.wanted = V1,
	.offered = V1,
	.config_size = FIELD(free_page_hint_cmd_id),
};

FIXTURE_VARIANT_ADD(vdpa_features, hint) {
	.wanted = TRANSPORT | BIT(FREE_PAGE_HINT),
	.offered = TRANSPORT | BIT(FREE_PAGE_HINT),
	.config_size = FIELD(poison_val),
};

FIXTURE_VARIANT_ADD(vdpa_features, poison) {
	.wanted = V1 | BIT(PAGE_POISON),
	.offered = V1 | BIT(PAGE_POISON),
	.config_size = sizeof(struct virtio_balloon_config),
};

FIXTURE_VARIANT_ADD(vdpa_features, reporting) {
	.wanted = V1 | BIT(REPORTING),
	.offered = V1 | BIT(REPORTING),
	.config_size = FIELD(free_page_hint_cmd_id),
};

FIXTURE_VARIANT_ADD(vdpa_features, all) {
	.wanted = ALL,
	.offered = ALL,
	.config_size = sizeof(struct virtio_balloon_config),
};

FIXTURE_SETUP(vdpa_features)
{
	const char *missing = vb_vdpa_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_vdpa_add(&self->d, "features", variant->wanted));
	ASSERT_EQ(0, vb_vdpa_open(&self->d));
	ASSERT_EQ(0, vb_vdpa_bind(&self->d));
}

FIXTURE_TEARDOWN(vdpa_features)
{
	vb_vdpa_del(&self->d);
}

TEST_F(vdpa_features, are_those_that_were_asked_for)
{
	struct vhost_balloon_info info;
	unsigned int bit;
	__u64 features;

	ASSERT_EQ(0, vb_get_features(self->d.fd, &features));
	EXPECT_EQ(variant->offered, features);
	/* That one is the transport's. */
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(variant->offered & ~VB_FEATURE(VIRTIO_F_ACCESS_PLATFORM), info.features_offered);
	EXPECT_EQ(0ULL, info.features);

	for (bit = 0; bit < 64; bit++) {
		const __u64 one = V1 | VB_FEATURE(bit);

		EXPECT_EQ(one & ~variant->offered ? -EINVAL : 0, vb_set_features(self->d.fd, one)) {
			TH_LOG("feature %u", bit);
		}
	}
	ASSERT_EQ(0, vb_vdpa_negotiate(&self->d, variant->offered));
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(variant->offered & ~VB_FEATURE(VIRTIO_F_ACCESS_PLATFORM), info.features);
}

static __u32 config_word(struct vb_vdpa *d, unsigned int offset)
{
	__le32 word = htole32(~0U);

	return vb_vdpa_get_config(d, offset, &word, sizeof(word)) ? ~0U : le32toh(word);
}

static int set_config_word(struct vb_vdpa *d, unsigned int offset, __u32 value)
{
	const __le32 word = htole32(value);

	return vb_vdpa_set_config(d, offset, &word, sizeof(word));
}

/* A field that isn't there can be neither read nor written. */
static void expect_field(struct __test_metadata *_metadata, FIXTURE_DATA(vdpa_features) *self,
			 unsigned int config_size, unsigned int offset, __u32 value)
{
	bool there = offset < config_size;

	EXPECT_EQ(there ? value : ~0U, config_word(&self->d, offset));
	EXPECT_EQ(there ? 0 : -EINVAL, set_config_word(&self->d, offset, value));
}

TEST_F(vdpa_features, decide_on_the_configuration_space)
{
	const unsigned int size = variant->config_size;
	const __u64 features = variant->offered;
	__u8 config[sizeof(struct virtio_balloon_config) + 1];
	__u32 said, id;

	ASSERT_EQ(0, vb_ioctl(self->d.fd, VHOST_VDPA_GET_CONFIG_SIZE, &said));
	EXPECT_EQ(size, said);
	EXPECT_EQ(0, vb_vdpa_get_config(&self->d, 0, config, size));
	EXPECT_EQ(-EINVAL, vb_vdpa_get_config(&self->d, 0, config, size + 1));
	EXPECT_EQ(-EINVAL, vb_vdpa_get_config(&self->d, size, config, 1));

	ASSERT_EQ(0, vb_vdpa_negotiate(&self->d, features));
	ASSERT_EQ(0, vb_set_target(self->d.control, TARGET));
	ASSERT_EQ(features & BIT(FREE_PAGE_HINT) ? 0 : -EOPNOTSUPP,
		  vb_hint_start(self->d.control, &id));
	expect_field(_metadata, self, size, FIELD(num_pages), TARGET);
	expect_field(_metadata, self, size, FIELD(actual), 0);
	expect_field(_metadata, self, size, FIELD(free_page_hint_cmd_id),
		     features & BIT(FREE_PAGE_HINT) ? FIRST_CMD_ID : 0);
	expect_field(_metadata, self, size, FIELD(poison_val), 0);
}

/* One with all features that there are, and nobody has it open. */
FIXTURE(vdpa) {
	struct vb_vdpa d;
};

FIXTURE_SETUP(vdpa)
{
	const char *missing = vb_vdpa_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_vdpa_add(&self->d, "vdpa", ALL));
}

FIXTURE_TEARDOWN(vdpa)
{
	vb_vdpa_del(&self->d);
}

TEST_F(vdpa, is_a_balloon_with_five_queues)
{
	struct vhost_vdpa_iova_range range;
	struct vhost_vring_state group;
	__u32 id, queues;
	__u16 entries;

	ASSERT_EQ(0, vb_vdpa_open(&self->d));
	ASSERT_EQ(0, vb_ioctl(self->d.fd, VHOST_VDPA_GET_DEVICE_ID, &id));
	EXPECT_EQ(VIRTIO_ID_BALLOON, id);
	ASSERT_EQ(0, vb_ioctl(self->d.fd, VHOST_VDPA_GET_VQS_COUNT, &queues));
	EXPECT_EQ(VB_NR_QUEUES, queues);
	ASSERT_EQ(0, vb_ioctl(self->d.fd, VHOST_VDPA_GET_VRING_NUM, &entries));
	EXPECT_EQ(VHOST_BALLOON_VRING_MAX, entries);
	ASSERT_EQ(0, vb_ioctl(self->d.fd, VHOST_VDPA_GET_IOVA_RANGE, &range));
	EXPECT_EQ(0ULL, range.first);
	EXPECT_EQ(~0ULL, range.last);
	ASSERT_EQ(0, vb_vdpa_bind(&self->d));
	/* Which is to say that one IOTLB is for all of them. */
	for (group.index = 0; group.index < VB_NR_QUEUES; group.index++) {
		group.num = ~0U;
		ASSERT_EQ(0, vb_ioctl(self->d.fd, VHOST_VDPA_GET_VRING_GROUP, &group));
		EXPECT_EQ(0U, group.num);
	}
	EXPECT_EQ(-ENOBUFS, vb_set_vring_num(self->d.fd, VB_NR_QUEUES, 16));
	EXPECT_EQ(-EINVAL, vb_set_vring_num(self->d.fd, 0, 2 * VHOST_BALLOON_VRING_MAX));
}

TEST_F(vdpa, is_what_the_bus_says_of_it)
{
	struct vb_vdpa_output out;

	ASSERT_EQ(0, vb_vdpa_tool(&out, "-j dev show %s", self->d.name));
	EXPECT_NE(NULL, strstr(out.text, "\"mgmtdev\":\"vhost_balloon\"")) {
		TH_LOG("%s", out.text);
	}
	EXPECT_NE(NULL, strstr(out.text, "\"max_vqs\":5"));
	EXPECT_NE(NULL, strstr(out.text, "\"max_vq_size\":1024"));
	ASSERT_EQ(0, vb_vdpa_tool(&out, "-j mgmtdev show vhost_balloon"));
	EXPECT_NE(NULL, strstr(out.text, "\"max_supported_vqs\":5")) {
		TH_LOG("%s", out.text);
	}
}

/* Kernels print that of other devices only, and may not look into this one's. */
TEST_F(vdpa, can_be_asked_for_its_configuration_at_any_time)
{
	struct vb_vdpa_output out;
	int status;

	vb_vdpa_tool(&out, "dev config show %s", self->d.name);
	ASSERT_EQ(0, vb_vdpa_run(&self->d, V1, 2));
	status = vb_vdpa_status(&self->d);
	vb_vdpa_tool(&out, "dev config show %s", self->d.name);
	vb_vdpa_tool(&out, "dev vstats show %s qidx 0", self->d.name);
	EXPECT_EQ(status, vb_vdpa_status(&self->d));
	EXPECT_EQ(0, vb_vdpa_inflate(&self->d, 0, 1));
	EXPECT_EQ(1ULL, vb_counter(self->d.control, VHOST_BALLOON_C_INFLATED));
}

/* What "vdpa dev add" refuses. */
TEST_F(vdpa, is_not_made_with_what_it_cannot_be)
{
	char name[VHOST_BALLOON_NAME_MAX + 1];
	struct vb_vdpa_output out;
	struct vb_vdpa other;
	int control;

	EXPECT_NE(0, vb_vdpa_add(&other, "packed", V1 | VB_FEATURE(VIRTIO_F_RING_PACKED)));
	EXPECT_NE(0, vb_vdpa_add(&other, "legacy", ALL & ~V1));

	/* A name of which a balloon could show no more than a part, and the longest there is. */
	memset(name, 'n', sizeof(name));
	name[VHOST_BALLOON_NAME_MAX] = '\0';
	EXPECT_NE(0, vb_vdpa_tool(&out, "dev add name %s mgmtdev vhost_balloon", name));
	EXPECT_EQ(-ENOENT, vb_vdpa_open_control(name));
	name[VHOST_BALLOON_NAME_MAX - 1] = '\0';
	EXPECT_EQ(0, vb_vdpa_tool(&out, "dev add name %s mgmtdev vhost_balloon", name)) {
		TH_LOG("%s", out.text);
	}
	control = vb_vdpa_open_control(name);
	EXPECT_LE(0, control);
	EXPECT_EQ(0, vb_vdpa_tool(&out, "dev del %s", name));
	close(control);
}

TEST_F(vdpa, takes_no_features_without_an_owner)
{
	const int known = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;
	int status;

	ASSERT_EQ(0, vb_vdpa_open(&self->d));
	EXPECT_EQ(0, vb_vdpa_status(&self->d));
	EXPECT_EQ(-EPROTO, vb_vdpa_negotiate(&self->d, V1));
	EXPECT_EQ(known, vb_vdpa_status(&self->d));
	status = vb_vdpa_add_status(&self->d, VIRTIO_CONFIG_S_DRIVER_OK);
	EXPECT_EQ(known | VIRTIO_CONFIG_S_FAILED, status);

	ASSERT_EQ(0, vb_vdpa_reset(&self->d));
	EXPECT_EQ(0, vb_vdpa_status(&self->d));
	ASSERT_EQ(0, vb_vdpa_bind(&self->d));
	EXPECT_EQ(0, vb_vdpa_negotiate(&self->d, V1));
	EXPECT_EQ(-EBUSY, vb_set_owner(self->d.fd));
}

TEST_F(vdpa, stops_when_the_driver_has_failed)
{
	struct vhost_balloon_info info;

	ASSERT_EQ(0, vb_vdpa_run(&self->d, V1, 2));
	ASSERT_LT(0, vb_vdpa_add_status(&self->d, VIRTIO_CONFIG_S_FAILED));
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(0ULL, info.flags & VHOST_BALLOON_INFO_RUNNING);
	EXPECT_EQ(-EIO, vb_vdpa_resume(&self->d));

	ASSERT_EQ(0, vb_vdpa_reset(&self->d));
	ASSERT_EQ(0, vb_vdpa_set_up(&self->d, V1, 2));
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(VHOST_BALLOON_INFO_RUNNING, info.flags & VHOST_BALLOON_INFO_RUNNING);
	EXPECT_EQ(0, vb_vdpa_inflate(&self->d, 0, 1));
}

TEST_F(vdpa, has_a_target_before_there_is_a_vmm_and_after)
{
	struct vhost_balloon_info info;

	ASSERT_EQ(0, vb_set_target(self->d.control, TARGET));
	ASSERT_EQ(0, vb_vdpa_run(&self->d, V1, 2));
	EXPECT_EQ(TARGET, config_word(&self->d, FIELD(num_pages)));
	ASSERT_EQ(0, set_config_word(&self->d, FIELD(actual), ACTUAL));
	vb_vdpa_close(&self->d);
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(TARGET, info.target);
	/* That was its guest's. */
	EXPECT_EQ(0ULL, info.actual);
	EXPECT_EQ(0, info.pid);
	EXPECT_EQ(0ULL, info.features);
	ASSERT_EQ(0, vb_vdpa_run(&self->d, V1, 2));
	EXPECT_EQ(TARGET, config_word(&self->d, FIELD(num_pages)));
	EXPECT_EQ(0U, config_word(&self->d, FIELD(actual)));
}

TEST_F(vdpa, interrupts_the_guest_when_the_configuration_changes)
{
	int call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	__u32 id;

	ASSERT_LE(0, call);
	ASSERT_EQ(0, vb_vdpa_run(&self->d, ALL, VB_NR_QUEUES));
	ASSERT_EQ(0, vb_ioctl(self->d.fd, VHOST_VDPA_SET_CONFIG_CALL, &call));
	ASSERT_EQ(0, vb_set_target(self->d.control, TARGET));
	EXPECT_EQ(1, vb_eventfd_count(call));
	ASSERT_EQ(0, vb_set_target(self->d.control, TARGET));
	EXPECT_EQ(0, vb_eventfd_count(call));
	ASSERT_EQ(0, vb_hint_start(self->d.control, &id));
	EXPECT_EQ(1, vb_eventfd_count(call));
	/* It is the guest's own doing. */
	ASSERT_EQ(0, set_config_word(&self->d, FIELD(actual), ACTUAL));
	EXPECT_EQ(0, vb_eventfd_count(call));

	/* VMMs set it once, and not after each reset. */
	ASSERT_EQ(0, vb_vdpa_reset(&self->d));
	vb_eventfd_count(call);
	ASSERT_EQ(0, vb_set_target(self->d.control, 1));
	EXPECT_EQ(1, vb_eventfd_count(call));
	vb_vdpa_close(&self->d);
	vb_eventfd_count(call);
	ASSERT_EQ(0, vb_set_target(self->d.control, 2));
	EXPECT_EQ(0, vb_eventfd_count(call));
	close(call);
}

/* A VMM may write all that it has cached when the guest has written four bytes. */
TEST_F(vdpa, takes_of_the_configuration_what_is_the_guests)
{
	const struct virtio_balloon_config all = {
		.num_pages = htole32(GARBAGE), .actual = htole32(ACTUAL),
		.free_page_hint_cmd_id = htole32(GARBAGE), .poison_val = htole32(POISON),
	};
	struct vhost_balloon_info info;

	ASSERT_EQ(0, vb_vdpa_run(&self->d, V1 | BIT(PAGE_POISON) | BIT(FREE_PAGE_HINT), 2));
	ASSERT_EQ(0, vb_vdpa_set_config(&self->d, 0, &all, sizeof(all)));
	EXPECT_EQ(0U, config_word(&self->d, FIELD(num_pages)));
	EXPECT_EQ(ACTUAL, config_word(&self->d, FIELD(actual)));
	EXPECT_EQ(0U, config_word(&self->d, FIELD(free_page_hint_cmd_id)));
	EXPECT_EQ(POISON, config_word(&self->d, FIELD(poison_val)));
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(ACTUAL, info.actual);
	EXPECT_EQ(POISON, info.poison_val);
}

TEST_HARNESS_MAIN
