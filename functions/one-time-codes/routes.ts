// All routes of the group.
import { deviceApproveRoutes } from './device-approve.routes.ts'
import { deviceRoutes, tenantDeviceRoutes } from './devices.routes.ts'
import { smsRoutes } from './sms.routes.ts'
import { statusRoutes } from './status.routes.ts'
import { totpRoutes } from './totp.routes.ts'

export const oneTimeCodeRoutes = [...totpRoutes, ...smsRoutes, ...statusRoutes, ...deviceRoutes, ...tenantDeviceRoutes, ...deviceApproveRoutes]
