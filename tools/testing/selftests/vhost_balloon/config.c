// SPDX-License-Identifier: GPL-2.0
/*
 * The configuration space: how long it is, which fields are there by the features,
 * what the guest may write, and access to parts of a field. See control_events.c for
 * target and actual, and hint.c for the command id's values.
 */
#include <endian.h>
#include <string.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_backend.h"
#include "vb_control.h"

#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
#define HINT		VB_FEATURE(VIRTIO_BALLOON_F_FREE_PAGE_HINT)
#define POISON		VB_FEATURE(VIRTIO_BALLOON_F_PAGE_POISON)

#define TARGET		0x01020304U
#define ACTUAL		0x11121314U
#define POISON_VAL	0xa1a2a3a4U
#define GARBAGE		0xdeadbeefU
#define CMD_ID		0x80000000U

FIXTURE(config) {
	int fd;
};

FIXTURE_VARIANT(config) {
	__u64 features;
};

FIXTURE_VARIANT_ADD(config, neither) { .features = V1 };
FIXTURE_VARIANT_ADD(config, hint) { .features = V1 | HINT };
FIXTURE_VARIANT_ADD(config, poison) { .features = V1 | POISON };
FIXTURE_VARIANT_ADD(config, both) { .features = V1 | HINT | POISON };

FIXTURE_SETUP(config)
{
	self->fd = vb_open_owned();
	ASSERT_GE(self->fd, 0) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-self->fd));
	}
	ASSERT_EQ(0, vb_set_features(self->fd, variant->features));
}

FIXTURE_TEARDOWN(config)
{
	close(self->fd);
}

static int get(FIXTURE_DATA(config) *self, struct virtio_balloon_config *config)
{
	memset(config, 0xff, sizeof(*config));
	return vb_get_config(self->fd, 0, config, sizeof(*config));
}

static __u32 get_word(FIXTURE_DATA(config) *self, unsigned int offset)
{
	__le32 word = htole32(GARBAGE);

	return vb_get_config(self->fd, offset, &word, sizeof(word)) ? GARBAGE : le32toh(word);
}

static int set_word(FIXTURE_DATA(config) *self, unsigned int offset, __u32 value)
{
	const __le32 word = htole32(value);

	return vb_set_config(self->fd, offset, &word, sizeof(word));
}

#define FIELD(name)	offsetof(struct virtio_balloon_config, name)

/* All fields have a value, as far as they can have one. */
static void fill(struct __test_metadata *_metadata, FIXTURE_DATA(config) *self, __u64 features)
{
	__u32 id = 0;

	ASSERT_EQ(0, vb_set_target(self->fd, TARGET));
	ASSERT_EQ(0, set_word(self, FIELD(actual), ACTUAL));
	ASSERT_EQ(0, set_word(self, FIELD(poison_val), POISON_VAL));
	ASSERT_EQ(features & HINT ? 0 : -EOPNOTSUPP, vb_hint_start(self->fd, &id));
	ASSERT_EQ(features & HINT ? CMD_ID : 0, id);
}

static void expect_filled(struct __test_metadata *_metadata, FIXTURE_DATA(config) *self,
			  __u64 features)
{
	struct virtio_balloon_config config;
	struct vhost_balloon_info info;

	ASSERT_EQ(0, get(self, &config));
	EXPECT_EQ(TARGET, le32toh(config.num_pages));
	EXPECT_EQ(ACTUAL, le32toh(config.actual));
	EXPECT_EQ(features & HINT ? CMD_ID : 0, le32toh(config.free_page_hint_cmd_id));
	EXPECT_EQ(features & POISON ? POISON_VAL : 0, le32toh(config.poison_val));
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ(features & POISON ? POISON_VAL : 0, info.poison_val);
}

TEST_F(config, begins_with_zeroes)
{
	const struct virtio_balloon_config zero = { 0 };
	struct virtio_balloon_config config;

	ASSERT_EQ(0, get(self, &config));
	EXPECT_EQ(0, memcmp(&zero, &config, sizeof(config)));
}

TEST_F(config, fields_of_features_that_were_not_negotiated_are_zero)
{
	fill(_metadata, self, variant->features);
	expect_filled(_metadata, self, variant->features);
}

TEST_F(config, guest_writes_actual_and_its_poison_only)
{
	struct virtio_balloon_config config;

	fill(_metadata, self, variant->features);
	ASSERT_EQ(0, set_word(self, FIELD(num_pages), GARBAGE));
	ASSERT_EQ(0, set_word(self, FIELD(free_page_hint_cmd_id), GARBAGE));
	expect_filled(_metadata, self, variant->features);

	/* A VMM may write back all of it when the guest wrote a part. */
	ASSERT_EQ(0, get(self, &config));
	config.num_pages = htole32(GARBAGE);
	config.free_page_hint_cmd_id = htole32(GARBAGE);
	ASSERT_EQ(0, vb_set_config(self->fd, 0, &config, sizeof(config)));
	expect_filled(_metadata, self, variant->features);
}

TEST_F(config, may_be_read_in_any_parts)
{
	unsigned int offset, len;
	__u8 all[VHOST_BALLOON_CONFIG_MAX], part[VHOST_BALLOON_CONFIG_MAX];

	fill(_metadata, self, variant->features);
	ASSERT_EQ(0, vb_get_config(self->fd, 0, all, sizeof(all)));
	for (offset = 0; offset <= sizeof(all); offset++) {
		for (len = 0; len <= sizeof(all) - offset; len++) {
			memset(part, 0xff, sizeof(part));
			ASSERT_EQ(0, vb_get_config(self->fd, offset, part, len));
			EXPECT_EQ(0, memcmp(all + offset, part, len)) {
				TH_LOG("%u bytes from %u on", len, offset);
			}
		}
	}
	EXPECT_EQ(-EINVAL, vb_get_config(self->fd, sizeof(all), part, 1));
	EXPECT_EQ(-EINVAL, vb_get_config(self->fd, 1, part, sizeof(all)));
}

/* As legacy drivers do. */
TEST_F(config, may_be_written_byte_by_byte)
{
	const __le32 actual = htole32(ACTUAL), poison = htole32(POISON_VAL);
	unsigned int i;

	fill(_metadata, self, variant->features);
	ASSERT_EQ(0, set_word(self, FIELD(actual), 0));
	ASSERT_EQ(0, set_word(self, FIELD(poison_val), 0));
	for (i = 0; i < sizeof(__le32); i++) {
		ASSERT_EQ(0, vb_set_config(self->fd, FIELD(actual) + i, (char *)&actual + i, 1));
		ASSERT_EQ(0, vb_set_config(self->fd, FIELD(poison_val) + i,
					   (char *)&poison + i, 1));
	}
	expect_filled(_metadata, self, variant->features);
}

TEST_F(config, field_is_hidden_when_the_features_change)
{
	fill(_metadata, self, variant->features);
	ASSERT_EQ(0, vb_set_features(self->fd, V1));
	EXPECT_EQ(0U, get_word(self, FIELD(free_page_hint_cmd_id)));
	EXPECT_EQ(0U, get_word(self, FIELD(poison_val)));
	EXPECT_EQ(TARGET, get_word(self, FIELD(num_pages)));
}

/* A driver may look before it has said what it can do. */
TEST_F(config, fields_are_there_before_features_are_negotiated)
{
	fill(_metadata, self, variant->features);
	ASSERT_EQ(0, vb_set_features(self->fd, 0));
	EXPECT_EQ(variant->features & POISON ? POISON_VAL : 0,
		  get_word(self, FIELD(poison_val)));
	EXPECT_EQ(TARGET, get_word(self, FIELD(num_pages)));
}

TEST_F(config, is_the_next_owners_own)
{
	fill(_metadata, self, variant->features);
	ASSERT_EQ(0, vb_ioctl(self->fd, VHOST_RESET_OWNER, NULL));
	ASSERT_EQ(0, vb_set_owner(self->fd));
	ASSERT_EQ(0, vb_set_features(self->fd, variant->features));
	EXPECT_EQ(0U, get_word(self, FIELD(actual)));
	EXPECT_EQ(0U, get_word(self, FIELD(free_page_hint_cmd_id)));
	/* The target is the host's, and stays. */
	EXPECT_EQ(TARGET, get_word(self, FIELD(num_pages)));
}

TEST_HARNESS_MAIN
