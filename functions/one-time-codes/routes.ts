// All routes of the group.
import { deviceApproveRoutes } from './device-approve.routes.ts'
import { tenantTotpDeviceRoutes, totpDeviceRoutes } from './devices.routes.ts'
import { smsRoutes } from './sms.routes.ts'
import { statusRoutes } from './status.routes.ts'
import { totpRoutes } from './totp.routes.ts'

export const oneTimeCodeRoutes = [
  ...totpRoutes,
  ...smsRoutes,
  ...statusRoutes,
  ...totpDeviceRoutes,
  ...tenantTotpDeviceRoutes,
  ...deviceApproveRoutes,
]
