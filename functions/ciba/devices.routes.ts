// Routes of the devices that receive a person's requests, for the platform and the tenant endpoints.
import { user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { CibaAnswered, CibaDevices, DeviceAdded, DeviceId, NewDevice } from './ciba.schema.ts'
import { addPushDevice, forgetOwnPushDevice, showPushDevices } from './ciba.ts'
import { route } from './group.ts'

export const pushDeviceRoutes = (id: 'ciba' | 'ciba.tenant', at: `/${string}`) => [
  route({
    id: `${id}.registerDevice`,
    on: `POST ${at}/register-device`,
    summary: 'Register this phone or browser for requests.',
    access: user(),
    body: NewDevice,
    reply: json(200, DeviceAdded),
    errors: ['insufficient_user_authentication', 'conflict'],
    emits: ['push_device.registered', 'push_device.removed'],
    handle: ({ ctx, principal, body }) => addPushDevice(ctx, principal, body),
  }),
  route({
    id: `${id}.devices`,
    on: `GET ${at}/devices`,
    summary: 'List the caller\u2019s devices.',
    access: user(),
    reply: json(200, CibaDevices),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => showPushDevices(ctx, principal),
  }),
  route({
    id: `${id}.removeDevice`,
    on: `DELETE ${at}/devices/:device_id`,
    summary: 'Remove one of the caller\u2019s devices.',
    access: user(),
    path: DeviceId,
    reply: json(200, CibaAnswered),
    errors: ['device_unknown'],
    emits: ['push_device.removed'],
    handle: ({ ctx, principal, path }) => forgetOwnPushDevice(ctx, principal, path.device_id),
  }),
]
